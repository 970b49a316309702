import type { Extent } from './video.ts'

const cookies =
  'Use --cookies-from-browser or --cookies for the authentication. See  https://github.com/yt-dlp/yt-dlp/wiki/FAQ#how-do-i-pass-cookies-to-yt-dlp  for how to manually pass cookies. Also see  https://github.com/yt-dlp/yt-dlp/wiki/Extractors#exporting-youtube-cookies  for tips on effectively exporting YouTube cookies'

/** What YouTube gives for a reason, in the words in which yt-dlp passes it on. */
const reasons = {
  'bot-check': `Sign in to confirm you’re not a bot. ${cookies}`,
  captcha: 'Video unavailable. YouTube is requiring a captcha challenge before playback',
  'members-only':
    'Join this channel to get access to members-only content like this video, and other exclusive perks.',
  'members-level':
    "This video is available to this channel's members on level: Friends (or any higher level). Join this channel to get access to members-only content and other exclusive perks.",
  private: `Private video. Sign in if you've been granted access to this video. ${cookies}`,
  removed: 'Video unavailable. This video has been removed by the uploader',
  unavailable: 'Video unavailable',
  terminated:
    'Video unavailable. This video is no longer available because the YouTube account associated with this video has been terminated.',
  copyright:
    'Video unavailable. This video contains content from Somebody, who has blocked it in your country on copyright grounds',
  age: `Sign in to confirm your age. This video may be inappropriate for some users. ${cookies}`,
  premium: 'This video is only available to Music Premium members',
  upcoming: 'This live event will begin in 3 hours.',
  premiere: 'Premieres in 3 hours',
  'ended-live': 'This live stream recording is not available.',
  'rate-limited':
    "Video unavailable. This content isn't available, try again later. The current session has been rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay between video requests to avoid exceeding the rate limit. For more information, refer to  https://github.com/yt-dlp/yt-dlp/wiki/Extractors#this-content-isnt-available-try-again-later",
} as const

const geo = 'The uploader has not made this video available in your country'
const solver =
  'Ensure you have a supported JavaScript runtime and challenge solver script distribution installed. Review any warnings presented before this message. For more details, refer to  https://github.com/yt-dlp/yt-dlp/wiki/EJS'

export type Speech = {
  /** Written to stderr before it gives up with code 1. */
  readonly error?: string
  /** Written to stderr before it goes on with what there is: instead of an error when formats may be missing. */
  readonly warning?: string
  readonly extent: Extent | 'hidden'
}

const hidden = new Set(['private', 'removed', 'unavailable', 'terminated'])

const refusal = (name: string, reason: string): Speech => ({
  error: `ERROR: [youtube] @ID@: ${reason}`,
  warning: `WARNING: [youtube] ${reason}`,
  extent: hidden.has(name) ? 'hidden' : 'bare',
})

/** What yt-dlp says instead of fetching a video, or before it fetches it in 360 lines; `@ID@` stands for its id. */
export const speeches = {
  ...(Object.fromEntries(
    Object.entries(reasons).map(([name, reason]) => [name, refusal(name, reason)]),
  ) as Record<keyof typeof reasons, Speech>),
  geo: {
    error: `ERROR: [youtube] @ID@: ${geo}\nThis video is available in Germany, Austria.\nYou might want to use a VPN or a proxy server (with --proxy) to workaround.`,
    warning: `WARNING: [youtube] ${geo}`,
    extent: 'bare',
  },
  'too-many-requests': {
    error:
      'ERROR: [youtube] @ID@: Unable to download API page: HTTP Error 429: Too Many Requests (caused by <HTTPError 429: Too Many Requests>)',
    extent: 'bare',
  },
  'blocked-address': {
    error:
      'ERROR: [youtube] @ID@: All player responses are invalid. Your IP is likely being blocked by Youtube',
    extent: 'bare',
  },
  broken: {
    error:
      'ERROR: [youtube] @ID@: Failed to extract any player response; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the appropriate issue template. Confirm you are on the latest version using  yt-dlp -U',
    extent: 'bare',
  },
  'no-js-runtime': {
    warning:
      'WARNING: [youtube] No supported JavaScript runtime could be found. Only deno is enabled by default; to use another runtime add  --js-runtimes RUNTIME[:PATH]  to your command/config. YouTube extraction without a JS runtime has been deprecated, and some formats may be missing. See  https://github.com/yt-dlp/yt-dlp/wiki/EJS  for details on installing one',
    extent: 'low',
  },
  'unsolved-challenge': {
    warning: `WARNING: [youtube] @ID@: Signature solving failed: Some formats may be missing. ${solver}\nWARNING: [youtube] @ID@: n challenge solving failed: Some formats may be missing. ${solver}`,
    extent: 'low',
  },
  'no-po-token': {
    warning:
      'WARNING: [youtube] @ID@: mweb client https formats require a GVS PO Token which was not provided. They will be skipped as they may yield HTTP Error 403. You can manually pass a GVS PO Token for this client with --extractor-args "youtube:po_token=mweb.gvs+XXX". For more information, refer to  https://github.com/yt-dlp/yt-dlp/wiki/PO-Token-Guide',
    extent: 'low',
  },
  /** For a video that has nothing but pictures of it. */
  'only-images': {
    warning: `WARNING: [youtube] @ID@: n challenge solving failed: Some formats may be missing. ${solver}`,
    extent: 'whole',
  },
  /** YouTube keeps the better formats for itself, and yt-dlp says not a word. */
  'silently-low': { extent: 'low' },
} as const satisfies Record<string, Speech>

export type SpeechName = keyof typeof speeches
