import type { FailureCode } from '#contract/failures.ts'

/**
 * The first match decides, so what is precise stands before what is general: old versions of yt-dlp ask for a bug
 * report after every HTTP error, and a full disk shows up as a failed conversion. Apostrophes may be curly.
 */
export const failurePatterns: readonly (readonly [FailureCode, RegExp])[] = [
  ['no-space', /Errno 28\b|No space left on device|Errno 122\b|Disk quota exceeded/i],
  ['name-too-long', /Errno 36\b|File name too long/i],
  ['permission', /Errno (?:13|30)\b|(?:Permission denied|Read-only file system)(?::|$)/i],
  [
    'bot-check',
    /sign in to confirm (?:that )?you.{1,3}re not a (?:ro)?bot|captcha challenge|confirm (?:that )?you are not a bot|IP is likely being blocked/i,
  ],
  [
    'rate-limited',
    /rate-limited by YouTube|content isn.{1,3}t available, try again later|(?:you are|exceeded the) rate.?limit/i,
  ],
  ['subtitles-failed', /Unable to download (?:video )?subtitles/i],
  ['rate-limited', /HTTP Error 429|Too Many Requests/i],
  ['age-restricted', /confirm your age|age.?restricted|inappropriate for some users/i],
  ['members-only', /members.only|available to this channel.{1,3}s members|join this channel to get access/i],
  [
    'premium-only',
    /Premium (?:members|subscribers)|requires (?:payment|a subscription)|appropriate subscription|only available.{0,20}premium/i,
  ],
  ['private', /video is private|private video/i],
  [
    'login-required',
    /please (?:sign|log) ?in|login required|registered users|use --cookies|log ?in to (?:watch|view|access)|must be logged in/i,
  ],
  [
    'geo-blocked',
    /not (?:made this video )?available (?:in|from) your (?:country|region|location)|blocked it in your country|geo.?restrict/i,
  ],
  ['copyright', /copyright (?:grounds|claim|infringement|issues)/i],
  [
    'account-terminated',
    /account (?:associated with this video )?has been (?:terminated|closed|suspended)|has closed their YouTube account/i,
  ],
  [
    'live-not-started',
    /live event will begin|premieres? (?:in|will begin)|(?:will begin|starts) in \d+|has not (?:yet )?started|is upcoming/i,
  ],
  [
    'live-processing',
    /recording is not available|still being processed|processing this video|live ?(?:event|stream) has ended/i,
  ],
  ['drm', /DRM.protected|known to use DRM|protected by DRM/i],
  [
    'js-runtime-missing',
    /No supported JavaScript runtime|(?:n challenge|signature) solving failed|challenge solver.{0,60}(?:missing|not available|skipped)/i,
  ],
  ['client-blocked', /not available on this app|PO Token which was not provided/i],
  [
    'format-unavailable',
    /Requested format is not available|Only images are available|No video formats found/i,
  ],
  [
    'removed',
    /has been removed|no longer available|video (?:is )?unavailable|video is(?: not|n.{1,3}t) available(?: any ?more)?\s*(?:\.|$)|video does not exist|(?:deleted by|was deleted)/im,
  ],
  ['ffmpeg-missing', /(?:ffmpeg|ffprobe)[^\n]{0,60}(?:not installed|not found|could not be found)/i],
  ['not-found', /HTTP Error (?:404|410)/i],
  ['forbidden', /HTTP Error (?:401|403)/i],
  ['server-error', /HTTP Error 5\d\d/i],
  [
    'truncated',
    /bytes read, [^\n]{0,30}more expected|Downloaded \d+ bytes, expected \d+|Did not get any data blocks|IncompleteRead|file is empty/i,
  ],
  [
    'network',
    /timed? ?out|Temporary failure in name resolution|name or service not known|getaddrinfo|nodename nor servname|Connection (?:refused|reset|aborted)|Remote end closed|Network is unreachable|No route to host|TransportError|Errno (?:101|104|110|111|113)\b|SSL|CERTIFICATE_VERIFY|proxy|communicate with SponsorBlock/i,
  ],
  ['unsupported-url', /Unsupported URL|is not a valid URL|Unsupported url scheme|no suitable extractor/i],
  [
    'invalid-result',
    // 416: what lies here is longer than what the server has now, and no part of it can be used.
    /HTTP Error 416|Invalid data found when processing input|moov atom not found|unable to obtain file audio codec/i,
  ],
  [
    'post-processing',
    /Postprocessing|Conversion failed|audio conversion failed|Preprocessing|Stream #\d+:\d+ -> #|Error opening (?:input|output) files/i,
  ],
  ['ytdlp-outdated', /no such option|invalid .{1,20}option/i],
  ['server-error', /HTTP Error \d{3}/i],
  [
    'extractor-broken',
    /please report this issue|Unable to extract|Traceback|Failed to (?:parse|extract)|'\w+' object (?:has no|is not)/i,
  ],
  // The end of a traceback. Every error of yt-dlp's own begins with `ERROR: `, which says nothing.
  ['extractor-broken', /^(?:\w+\.)*[A-Z]\w*(?:Error|Exception)(?:: |$)/m],
]

/** Codes that yt-dlp tells in a warning, before an error that says less. */
export const toldInWarnings: ReadonlySet<FailureCode> = new Set([
  'js-runtime-missing',
  'client-blocked',
  'bot-check',
  'rate-limited',
  'geo-blocked',
])
