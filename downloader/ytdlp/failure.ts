import type { Failure, FailureCode } from '#contract/failures.ts'
import { failurePatterns, isWarningOnly } from './failure-patterns.ts'

type Policy = { readonly retryable: boolean; readonly advice?: string }

/** Whether the same request may succeed later, and what a person can do about it. Nothing here quotes the site. */
const policies: Readonly<Record<FailureCode, Policy>> = {
  'bot-check': {
    retryable: false,
    advice: 'The site asks this downloader to prove it is no robot. Give it cookies, or wait some hours.',
  },
  'rate-limited': { retryable: true, advice: 'The site wants fewer requests. Wait about an hour.' },
  'subtitles-failed': { retryable: true },
  'age-restricted': {
    retryable: false,
    advice: 'The video is for adults with an account: the downloader needs cookies.',
  },
  'login-required': { retryable: false, advice: 'The video needs an account: the downloader needs cookies.' },
  'members-only': { retryable: false, advice: 'Only members of the channel may watch this.' },
  private: { retryable: false, advice: 'The owner keeps this video private.' },
  'premium-only': { retryable: false, advice: 'This is for paying subscribers of the site only.' },
  'geo-blocked': {
    retryable: false,
    advice: 'The video is not shown where the downloader is. A proxy elsewhere would help.',
  },
  copyright: { retryable: false, advice: 'The video was blocked on copyright grounds.' },
  'account-terminated': { retryable: false, advice: 'The channel was closed by the site.' },
  removed: { retryable: false, advice: 'The video is no longer there.' },
  'live-not-started': { retryable: true, advice: 'The broadcast has not begun. Ask again when it is over.' },
  'live-processing': { retryable: true, advice: 'The broadcast is not ready yet. Ask again in some hours.' },
  drm: { retryable: false, advice: 'The video is copy-protected.' },
  'format-unavailable': { retryable: false, advice: 'Choose another quality or format.' },
  'client-blocked': { retryable: false, advice: 'Update yt-dlp on the downloader.' },
  'extractor-broken': { retryable: false, advice: 'Update yt-dlp on the downloader.' },
  'js-runtime-missing': {
    retryable: false,
    advice: 'Install yt-dlp with its challenge solver (yt-dlp[default]) on the downloader.',
  },
  forbidden: { retryable: true },
  'not-found': { retryable: false, advice: 'There is nothing at this address.' },
  network: { retryable: true },
  'server-error': { retryable: true },
  truncated: { retryable: true },
  stalled: { retryable: true },
  killed: { retryable: true },
  'no-space': { retryable: true, advice: 'Make room on the disk of the library.' },
  permission: { retryable: false, advice: 'Let the downloader write to the library folder.' },
  'name-too-long': {
    retryable: false,
    advice: 'The library is on a file system that takes short names only.',
  },
  'too-large': { retryable: false, advice: 'Choose a lower quality.' },
  'ffmpeg-missing': { retryable: false, advice: 'Install ffmpeg and ffprobe on the downloader.' },
  'ytdlp-missing': { retryable: false, advice: 'Install yt-dlp on the downloader.' },
  'ytdlp-outdated': { retryable: false, advice: 'Update yt-dlp on the downloader.' },
  'unsupported-url': { retryable: false, advice: 'There is no video that can be fetched at this address.' },
  'refused-address': { retryable: false, advice: 'Addresses of private networks are refused.' },
  'post-processing': { retryable: false, advice: 'Choose another format.' },
  skipped: { retryable: false },
  'invalid-result': { retryable: true },
  unknown: { retryable: true },
}

export function createFailure(code: FailureCode, retryAt?: Date): Failure {
  return { code, ...policies[code], ...(retryAt && { retryAt: retryAt.toISOString() }) }
}

export type RunEvidence = {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** Lines that begin with `ERROR:`, and the last line of a traceback. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
}

/** Why a run of yt-dlp failed, told from what it wrote. The real reason is often a warning before the error. */
export function classifyRun({ exitCode, signal, errors, warnings }: RunEvidence): FailureCode {
  const told = classifyText(errors.join('\n'))
  if (told !== undefined && !isVague(told)) return told
  const warned = warnings.map((warning) => classifyText(warning)).find((code) => code && isWarningOnly(code))
  if (warned !== undefined) return warned
  if (told !== undefined) return told
  if (signal !== undefined) return 'killed'
  // Options it does not know: it is older than what we speak.
  if (exitCode === 2) return 'ytdlp-outdated'
  return 'unknown'
}

const isVague = (code: FailureCode): boolean => code === 'format-unavailable' || code === 'extractor-broken'

export function classifyText(text: string): FailureCode | undefined {
  return failurePatterns.find(([, pattern]) => pattern.test(text))?.[0]
}

const systemErrors: Readonly<Record<string, FailureCode>> = {
  ENOSPC: 'no-space',
  EDQUOT: 'no-space',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
  EXDEV: 'permission',
  ENAMETOOLONG: 'name-too-long',
}

/** A failure of our own steps, told from the system's error code. */
export function classifyError(error: unknown): FailureCode {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return systemErrors[code] ?? 'unknown'
}
