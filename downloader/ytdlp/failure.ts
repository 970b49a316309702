import { isRetryable, policyOf } from '#contract/failures.ts'
import type { Failure, FailureCode } from '#contract/failures.ts'
import { redact } from '../redact.ts'
import { failurePatterns, toldInWarnings } from './failure-patterns.ts'

const evidenceLines = 6
/** Of these at most so many are errors: the reason is often told in a warning before. */
const errorLines = 3

export type FailureDetails = { readonly retryAt?: Date; readonly evidence?: readonly string[] }

/** The failure as it is told: what follows from its code, and what this one adds. */
export function createFailure(code: FailureCode, { retryAt, evidence = [] }: FailureDetails = {}): Failure {
  return {
    code,
    retryable: isRetryable(code),
    advice: policyOf(code).advice,
    ...(retryAt && { retryAt: retryAt.toISOString() }),
    ...(evidence.length > 0 && { evidence: [...evidence] }),
  }
}

/** The last distinct warnings and errors of a run and what we say of it ourselves, fit to be shown. */
export function evidenceOf(
  { errors, warnings, skipped }: Pick<RunEvidence, 'errors' | 'warnings' | 'skipped'>,
  known: readonly string[] = [],
  why?: string,
): string[] {
  const clean = (lines: readonly string[]): string[] =>
    [...new Set(lines.map((line) => redact(line, known)))].filter((line) => line !== '')
  const said = [...errors, errors.length === 0 ? skipped : undefined, why]
  const last = clean(said.filter((line) => line !== undefined)).slice(-errorLines)
  return [...clean(warnings).slice(last.length - evidenceLines), ...last]
}

const hourMs = 60 * 60_000

/** How long the site wants to be left alone, when a run has said so. */
export function askedPauseMs({ errors, warnings, retryAfterMs }: RunEvidence): number | undefined {
  if (retryAfterMs !== undefined) return retryAfterMs
  return [...errors, ...warnings].some((line) => /rate-limited by YouTube for up to an hour/i.test(line))
    ? hourMs
    : undefined
}

export type RunEvidence = {
  readonly exitCode?: number | undefined
  readonly signal?: string | undefined
  /** Lines that begin with `ERROR:`, and the last line of a traceback. */
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** Why it has passed over what it was to fetch, which it thinks no error. */
  readonly skipped?: string | undefined
  readonly retryAfterMs?: number | undefined
}

/** Why a run of yt-dlp failed, told from what it wrote. The real reason is often a warning before the error. */
export function classifyRun({ exitCode, signal, errors, warnings }: RunEvidence): FailureCode {
  const told = classifyText(errors.join('\n'))
  if (told !== undefined && !isVague(told)) return told
  const warned = warnings
    .map((warning) => classifyText(warning))
    .find((code) => code && toldInWarnings.has(code))
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
