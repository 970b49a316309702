import type { FailureCode } from '#contract/failures.ts'

/** What yt-dlp says of a video of YouTube. */
export const youtube = (text: string): string => `ERROR: [youtube] dQw4w9WgXcQ: ${text}`
const bugReport =
  '; please report this issue on  https://github.com/yt-dlp/yt-dlp/issues?q= , filling out the appropriate issue template. Confirm you are on the latest version using  yt-dlp -U'

/** What yt-dlp writes, and what we call it. */
export const corpus: readonly (readonly [FailureCode, string])[] = [
  [
    'bot-check',
    youtube(
      'Sign in to confirm you’re not a bot. Use --cookies-from-browser or --cookies for the authentication.',
    ),
  ],
  ['bot-check', youtube("Sign in to confirm you're not a bot. This helps protect our community.")],
  ['bot-check', youtube('YouTube is requiring a captcha challenge before playback')],
  [
    'rate-limited',
    youtube(
      'Video unavailable. This content isn’t available, try again later. Your account has been rate-limited by YouTube for up to an hour.',
    ),
  ],
  ['rate-limited', 'ERROR: unable to download video data: HTTP Error 429: Too Many Requests'],
  [
    'subtitles-failed',
    "ERROR: Unable to download video subtitles for 'en': HTTP Error 429: Too Many Requests",
  ],
  ['age-restricted', youtube('Sign in to confirm your age. This video may be inappropriate for some users.')],
  ['login-required', youtube('Please sign in. Use --cookies-from-browser or --cookies')],
  ['login-required', 'ERROR: [generic] This video is only available for registered users.'],
  [
    'members-only',
    youtube('Join this channel to get access to members-only content like this video, and other perks.'),
  ],
  [
    'members-only',
    youtube("This video is available to this channel's members on level: Supporter (or any higher level)"),
  ],
  ['private', youtube("Private video. Sign in if you've been granted access to this video")],
  ['premium-only', youtube('This video is only available to Music Premium members')],
  ['premium-only', youtube('This video requires payment to watch')],
  ['geo-blocked', youtube('The uploader has not made this video available in your country')],
  [
    'geo-blocked',
    youtube('Video unavailable. This video contains content from SME, who has blocked it in your country'),
  ],
  [
    'copyright',
    youtube(
      'Video unavailable. This video contains content from UMG, who has blocked it on copyright grounds',
    ),
  ],
  [
    'copyright',
    youtube('Video unavailable. This video is no longer available due to a copyright claim by Some Company'),
  ],
  [
    'account-terminated',
    youtube(
      'Video unavailable. This video is no longer available because the YouTube account associated with this video has been terminated.',
    ),
  ],
  ['removed', youtube('Video unavailable. This video has been removed by the uploader')],
  [
    'removed',
    youtube("This video has been removed for violating YouTube's policy on harassment and bullying"),
  ],
  ['removed', youtube('Video unavailable')],
  ['removed', youtube('This video is not available')],
  ['removed', youtube('This video isn’t available anymore.')],
  ['live-not-started', youtube('This live event will begin in 3 hours.')],
  ['live-not-started', youtube('Premieres in 27 minutes')],
  ['live-processing', youtube('This live stream recording is not available.')],
  ['drm', 'ERROR: [DRM] The requested site is known to use DRM protection. It will NOT be supported.'],
  ['drm', youtube('This video is DRM protected')],
  [
    'format-unavailable',
    youtube('Requested format is not available. Use --list-formats for a list of available formats'),
  ],
  [
    'client-blocked',
    youtube('The following content is not available on this app. Watch on the latest version of YouTube.'),
  ],
  ['extractor-broken', youtube(`Unable to extract initial player response${bugReport}`)],
  ['extractor-broken', "KeyError: 'streamingData'"],
  ['extractor-broken', 'json.decoder.JSONDecodeError: Expecting value: line 1 column 1 (char 0)'],
  ['extractor-broken', "ERROR: 'NoneType' object has no attribute 'get'"],
  ['unknown', 'ERROR: [x] something odd'],
  ['unknown', 'ERROR: Something went wrong'],
  [
    'js-runtime-missing',
    'WARNING: [youtube] No supported JavaScript runtime could be found. YouTube extraction without a JS runtime has been deprecated',
  ],
  ['forbidden', 'ERROR: unable to download video data: HTTP Error 403: Forbidden'],
  [
    'not-found',
    `ERROR: [generic] none: Unable to download webpage: HTTP Error 404: Not Found (caused by <HTTPError 404: Not Found>)${bugReport}`,
  ],
  ['not-found', 'ERROR: [generic] gone: Unable to download webpage: HTTP Error 410: Gone'],
  [
    'server-error',
    'ERROR: [generic] Unable to download webpage: HTTP Error 503: Service Unavailable (caused by <HTTPError 503: Service Unavailable>)',
  ],
  [
    'network',
    "ERROR: [generic] Unable to download webpage: [Errno -3] Temporary failure in name resolution (caused by TransportError('...'))",
  ],
  ['network', 'ERROR: [download] Got error: The read operation timed out. Giving up after 5 retries'],
  ['network', 'ERROR: [generic] Unable to download webpage: [Errno 111] Connection refused'],
  [
    'network',
    "ERROR: [download] Got error: ('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer')). Giving up after 5 retries",
  ],
  [
    'truncated',
    'ERROR: [download] Got error: 50000 bytes read, 306203 more expected. Giving up after 7 retries',
  ],
  ['truncated', 'ERROR: Did not get any data blocks'],
  ['no-space', 'ERROR: unable to write data: [Errno 28] No space left on device'],
  [
    'no-space',
    'ERROR: Postprocessing: Conversion failed! av_interleaved_write_frame(): No space left on device',
  ],
  ['permission', "ERROR: unable to open for writing: [Errno 13] Permission denied: 'media.mp4.part'"],
  ['permission', "ERROR: unable to create directory [Errno 30] Read-only file system: '/videos'"],
  ['name-too-long', "ERROR: unable to open for writing: [Errno 36] File name too long: 'a.part'"],
  [
    'ffmpeg-missing',
    'ERROR: You have requested merging of multiple formats but ffmpeg is not installed. Aborting due to --abort-on-error',
  ],
  [
    'ffmpeg-missing',
    'ERROR: Postprocessing: ffprobe and ffmpeg not found. Please install or provide the path using --ffmpeg-location',
  ],
  ['unsupported-url', 'ERROR: Unsupported URL: https://example.org/'],
  ['unsupported-url', "ERROR: [generic] '--exec=touch x' is not a valid URL"],
  ['invalid-result', 'ERROR: Postprocessing: file:media.mp4: Invalid data found when processing input'],
  ['post-processing', 'ERROR: Postprocessing: Conversion failed!'],
  ['network', 'ERROR: Preprocessing: Unable to communicate with SponsorBlock API: timed out'],
  ['ytdlp-outdated', 'yt-dlp: error: no such option: --js-runtimes'],
  [
    'rate-limited',
    youtube(
      "Video unavailable. This content isn't available, try again later. The current session has been rate-limited by YouTube for up to an hour. It is recommended to use `-t sleep` to add a delay between video requests to avoid exceeding the rate limit.",
    ),
  ],
  ['rate-limited', 'ERROR: [wrzuta] x: You have exceeded the rate limit. Try again later'],
  [
    'premium-only',
    'ERROR: [site] x: This video is only available for registered users with the appropriate subscription',
  ],
  ['private', youtube('This video is private')],
  ['login-required', 'ERROR: [site] x: You need to log in to access this content'],
  ['geo-blocked', 'ERROR: [site] x: This video is not available from your location due to geo restriction'],
  [
    'account-terminated',
    youtube('This video is no longer available because the uploader has closed their YouTube account.'),
  ],
  ['live-not-started', 'ERROR: [site] x: This livestream has not yet started'],
  ['live-processing', youtube("We're processing this video. Check back later.")],
  ['js-runtime-missing', 'WARNING: [youtube] x: n challenge solving failed: Some formats may be missing.'],
  ['js-runtime-missing', 'WARNING: [youtube] x: Signature solving failed: Some formats may be missing.'],
  [
    'client-blocked',
    'WARNING: [youtube] x: mweb client https formats require a GVS PO Token which was not provided. They will be skipped as they may yield HTTP Error 403.',
  ],
  [
    'bot-check',
    'ERROR: [youtube] x: All player responses are invalid. Your IP is likely being blocked by Youtube',
  ],
  ['geo-blocked', youtube('This video is not available in your region.')],
  ['forbidden', 'ERROR: [download] Got error: HTTP Error 403: Forbidden. Giving up after 7 retries'],
  ['invalid-result', 'ERROR: [download] Got error: HTTP Error 416: Requested range not satisfiable'],
]
