import * as z from 'zod'

/** Whose fault it is. Only what a site or a downloader has done counts against them. */
type Blame = 'video' | 'request' | 'site' | 'downloader' | 'network'

/**
 * What the queue does about it. `retry`: after a growing pause, as often as the queue is set to. `fresh-extraction`: again
 * soon, with new addresses, at most twice. `other-downloader`: this one cannot, another may. `halt-site` and
 * `back-off-site`: this downloader leaves the site alone for a while; the job goes to another or waits. `wait-for-space`
 * and `reschedule`: it waits, and no try is counted.
 */
type Action =
  | 'give-up'
  | 'retry'
  | 'fresh-extraction'
  | 'other-downloader'
  | 'halt-site'
  | 'back-off-site'
  | 'wait-for-space'
  | 'reschedule'

export type FailurePolicy = { readonly blame: Blame; readonly action: Action; readonly advice: string }

/** Why a download failed: one row each, and nothing else states what follows from it. Advice quotes no site. */
export const failurePolicies = {
  'bot-check': {
    blame: 'site',
    action: 'halt-site',
    advice: 'The site asks this downloader to prove it is no robot. Give it cookies, or wait some hours.',
  },
  'rate-limited': {
    blame: 'site',
    action: 'back-off-site',
    advice: 'The site wants fewer requests. Wait about an hour.',
  },
  'subtitles-failed': {
    blame: 'site',
    action: 'retry',
    advice: 'The site would not give the subtitles. Try again later, or without them.',
  },
  'age-restricted': {
    blame: 'video',
    action: 'other-downloader',
    advice: 'The video is for adults with an account: the downloader needs cookies.',
  },
  'login-required': {
    blame: 'video',
    action: 'other-downloader',
    advice: 'The video needs an account: the downloader needs cookies.',
  },
  'members-only': {
    blame: 'video',
    action: 'give-up',
    advice: 'Only members of the channel may watch this.',
  },
  private: { blame: 'video', action: 'give-up', advice: 'The owner keeps this video private.' },
  'premium-only': {
    blame: 'video',
    action: 'give-up',
    advice: 'This is for paying subscribers of the site only.',
  },
  'geo-blocked': {
    blame: 'video',
    action: 'other-downloader',
    advice: 'The video is not shown where the downloader is. A proxy elsewhere would help.',
  },
  copyright: { blame: 'video', action: 'give-up', advice: 'The video was blocked on copyright grounds.' },
  'account-terminated': {
    blame: 'video',
    action: 'give-up',
    advice: 'The channel was closed by the site.',
  },
  removed: { blame: 'video', action: 'give-up', advice: 'The video is no longer there.' },
  'live-not-started': {
    blame: 'video',
    action: 'reschedule',
    advice: 'The broadcast has not begun. It is tried again when it should be over.',
  },
  'live-processing': {
    blame: 'video',
    action: 'reschedule',
    advice: 'The broadcast is not ready yet. It is tried again later.',
  },
  drm: { blame: 'video', action: 'give-up', advice: 'The video is copy-protected.' },
  'format-unavailable': { blame: 'request', action: 'give-up', advice: 'Choose another quality or format.' },
  'client-blocked': {
    blame: 'downloader',
    action: 'other-downloader',
    advice:
      'The site does not serve what this yt-dlp poses as. Update yt-dlp on the downloader, or give it cookies.',
  },
  'extractor-broken': {
    blame: 'downloader',
    action: 'other-downloader',
    advice: 'Update yt-dlp on the downloader.',
  },
  'js-runtime-missing': {
    blame: 'downloader',
    action: 'other-downloader',
    advice: 'Install yt-dlp with its challenge solver (yt-dlp[default]) on the downloader.',
  },
  forbidden: {
    blame: 'site',
    action: 'fresh-extraction',
    advice:
      'The site refused to hand the video out. If it does so again, update yt-dlp on the downloader or give it cookies: YouTube may want a proof (PO token) that it does not have.',
  },
  'not-found': { blame: 'video', action: 'give-up', advice: 'There is nothing at this address.' },
  network: {
    blame: 'network',
    action: 'retry',
    advice: 'The connection to the site failed. Another try later should do.',
  },
  'server-error': {
    blame: 'site',
    action: 'retry',
    advice: 'The site has trouble of its own. Another try later should do.',
  },
  truncated: {
    blame: 'site',
    action: 'retry',
    advice: 'The site sent less than the whole video. The next try goes on where this one ended.',
  },
  stalled: {
    blame: 'network',
    action: 'retry',
    advice: 'Nothing came any more. The next try goes on where this one ended.',
  },
  killed: {
    blame: 'downloader',
    action: 'retry',
    advice:
      'Something on the machine of the downloader ended it, perhaps for want of memory. Another try should do.',
  },
  'no-space': {
    blame: 'downloader',
    action: 'wait-for-space',
    advice: 'It goes on when there is room on the disk of the library.',
  },
  permission: {
    blame: 'downloader',
    action: 'other-downloader',
    advice: 'Let the downloader write to the library folder.',
  },
  'name-too-long': {
    blame: 'downloader',
    action: 'other-downloader',
    advice: 'The library is on a file system that takes short names only.',
  },
  'quota-exceeded': {
    blame: 'request',
    action: 'give-up',
    advice:
      'There is no room for it by the quotas: remove files that nobody needs, or choose a lower quality.',
  },
  'too-large': { blame: 'request', action: 'give-up', advice: 'Choose a lower quality.' },
  'ffmpeg-missing': {
    blame: 'downloader',
    action: 'other-downloader',
    advice: 'Install ffmpeg and ffprobe on the downloader.',
  },
  'ytdlp-missing': {
    blame: 'downloader',
    action: 'other-downloader',
    advice: 'Install yt-dlp on the downloader.',
  },
  'ytdlp-outdated': {
    blame: 'downloader',
    action: 'other-downloader',
    advice: 'Update yt-dlp on the downloader.',
  },
  'unsupported-url': {
    blame: 'request',
    action: 'give-up',
    advice: 'There is no video that can be fetched at this address.',
  },
  'refused-address': {
    blame: 'request',
    action: 'give-up',
    advice: 'Addresses of private networks are refused.',
  },
  'post-processing': { blame: 'video', action: 'give-up', advice: 'Choose another format.' },
  skipped: {
    blame: 'video',
    action: 'give-up',
    advice: 'yt-dlp passed over this video. What it said is in the evidence, for admins.',
  },
  'invalid-result': {
    blame: 'site',
    action: 'retry',
    advice:
      'What came is not the whole video that was asked for, and was thrown away. Another try, or another quality or format, may do better.',
  },
  unknown: {
    blame: 'site',
    action: 'retry',
    advice:
      'Nobody has a name for this yet. If another try fails too, admins find what yt-dlp said in the evidence, and a newer yt-dlp may help.',
  },
} as const satisfies Record<string, FailurePolicy>

export type FailureCode = keyof typeof failurePolicies
const isFailureCode = (code: string): code is FailureCode => Object.hasOwn(failurePolicies, code)
export const failureCodes: readonly FailureCode[] = Object.keys(failurePolicies).filter(isFailureCode)
export const FailureCode = z.enum(failureCodes)

export const policyOf = (code: FailureCode): FailurePolicy => failurePolicies[code]

/** Whether the same request may succeed later without anybody changing anything. */
export const isRetryable = (code: FailureCode): boolean => {
  const { action } = policyOf(code)
  return action !== 'give-up' && action !== 'other-downloader'
}

export const Failure = z
  .object({
    code: FailureCode,
    retryable: z.boolean(),
    advice: z.string().optional(),
    retryAt: z.iso.datetime().optional(),
    evidence: z.array(z.string().max(300)).max(6).optional().meta({
      description: 'What the downloader’s tools said, without addresses, paths and secrets; for admins',
    }),
  })
  .meta({ id: 'Failure' })
export type Failure = z.output<typeof Failure>
