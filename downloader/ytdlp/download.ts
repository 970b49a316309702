import { mkdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Job } from '#contract/downloader-link.ts'
import type { VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { freeBytes } from '../disk.ts'
import type { SpaceLedger } from '../disk.ts'
import { expectedBytes, hasSound, note, openAccount } from './account.ts'
import type { Account } from './account.ts'
import { downloadArguments, finishedFolder, partialFolder } from './arguments.ts'
import { lendCookies } from './cookies.ts'
import { classifyRun } from './failure.ts'
import { openParts } from './parts.ts'
import { hearProgress } from './progress.ts'
import type { ProgressMeter } from './progress.ts'
import type { YtDlpRecord } from './records.ts'
import { runYtDlp } from './run.ts'
import type { RunResult } from './run.ts'
import { findSidecars } from './subtitles.ts'
import type { Sidecar } from './subtitles.ts'
import type { Target } from './target.ts'
import { createNonce, graceMs, runOptions } from './toolbox.ts'
import type { Toolbox } from './toolbox.ts'
import { watchRun } from './watch.ts'

export type DownloadLimits = {
  readonly stallMs: number
  readonly reserveBytes: number
  readonly maxBytes: number
}

export type DownloadRun = {
  readonly job: Job
  readonly target: Target
  readonly directory: string
  readonly toolbox: Toolbox
  readonly limits: DownloadLimits
  readonly ledger: SpaceLedger
  readonly meter: ProgressMeter
  readonly signal: AbortSignal
  readonly onMetadata: (metadata: VideoMetadata) => void
  readonly onProgress: () => void
}

export type Fetched = {
  readonly kind: 'finished'
  readonly media: string
  readonly metadata: VideoMetadata
  readonly sound: boolean
  readonly account: Account
  /** Subtitles that lie beside the media. */
  readonly sidecars: readonly Sidecar[]
  readonly run: RunResult
}

export type DownloadResult =
  | Fetched
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly run: RunResult }

/** Fetches, merges and converts in the job's directory, continuing what lies there. */
export async function download(options: DownloadRun): Promise<DownloadResult> {
  const { directory, toolbox, job, limits, signal } = options
  for (const folder of [finishedFolder, partialFolder])
    await mkdir(join(directory, folder), { recursive: true })
  const parts = await openParts(directory, join(directory, partialFolder))
  const cookies = await lendCookies(toolbox.cookiesFile, directory)
  const stop = new AbortController()
  let stoppedFor: FailureCode | undefined
  const stopFor = (code: FailureCode): void => {
    stoppedFor ??= code
    stop.abort()
  }
  const account = openAccount()
  /** Looks at the disk that are under way: none may promise space after the job has ended. */
  const admissions: Promise<void>[] = []
  const watch = watchRun({
    directory,
    ...limits,
    // Parts, the merged whole and what ffmpeg is rewriting.
    maxBytes: limits.maxBytes * 3,
    onTrouble: stopFor,
    onLook: (grown) => {
      if (grown) options.meter.arrived()
      options.onProgress()
    },
  })
  const nonce = createNonce()
  try {
    const run = await runYtDlp({
      file: toolbox.ytDlp,
      arguments: downloadArguments({
        ...runOptions(toolbox, { nonce, url: options.target.url, directory, cookiesFile: cookies.file }),
        quality: job.quality,
        format: job.format,
        extras: job.extras,
        sponsorBlockApi: toolbox.sponsorBlockApi,
      }),
      directory,
      environment: toolbox.environment,
      nonce,
      signal: AbortSignal.any([signal, stop.signal]),
      graceMs,
      onRecord: (record) => {
        watch.alive()
        admissions.push(...hear(record, account, options, stopFor))
        if (!parts.fit(account)) stopFor('invalid-result')
      },
    })
    await Promise.all([...admissions, cookies.giveBack(account.files.length > 0)])
    if (stoppedFor !== undefined) return { kind: 'failed', code: stoppedFor, run }
    return await judge(run, account, directory)
  } finally {
    watch.stop()
  }
}

/** Answers the looks at the disk it has begun. */
function hear(
  record: YtDlpRecord,
  account: Account,
  options: DownloadRun,
  stopFor: (code: FailureCode) => void,
): Promise<void>[] {
  const expected = expectedBytes(account)
  note(account, record)
  hearProgress(options.meter, record)
  if (record.kind === 'metadata' && account.metadata) {
    if (account.metadata.live === 'live') stopFor('live-processing')
    else options.onMetadata(account.metadata)
  }
  options.onProgress()
  const learned = expectedBytes(account)
  const asks = record.kind === 'start' || learned !== expected
  return asks ? [admit(learned, options, stopFor)] : []
}

async function admit(
  bytes: number,
  { job, directory, ledger }: DownloadRun,
  stopFor: (code: FailureCode) => void,
): Promise<void> {
  const free = await freeBytes(directory).catch(() => 0)
  const decision = ledger.admit(job.jobId, bytes, free)
  if (decision !== 'admitted') stopFor(decision)
}

/** What does not decide whether there is a film. */
const supplement = /SponsorBlock|subtitles/i

/** The exit code alone proves nothing: zero comes with nothing written, and one with a good file. */
async function judge(run: RunResult, account: Account, directory: string): Promise<DownloadResult> {
  if (run.missing) return { kind: 'failed', code: 'ytdlp-missing', run }
  const [media, ...others] = account.files
  const { metadata } = account
  if (media === undefined || metadata === undefined) {
    const skipped = run.signal === undefined && (run.exitCode === 0 || run.exitCode === 101)
    return { kind: 'failed', code: reasonIn(run, skipped ? 'skipped' : 'unknown'), run }
  }
  const folder = join(directory, finishedFolder)
  const inside = (await realpath(folder)) + sep
  const path = await realpath(media).catch(() => '')
  const size = path.startsWith(inside) ? (await stat(path)).size : 0
  if (others.length > 0) return { kind: 'failed', code: 'invalid-result', run }
  if (size === 0) return { kind: 'failed', code: reasonIn(run, 'invalid-result'), run }
  const sidecars = await findSidecars(folder)
  return { kind: 'finished', media: path, metadata, sound: hasSound(account), account, sidecars, run }
}

/** What a run has said of why there is no good file, or else the fallback. */
export function reasonIn(run: RunResult, fallback: FailureCode): FailureCode {
  const errors = run.errors.filter((line) => !supplement.test(line))
  const code = classifyRun({ ...run, errors: errors.length > 0 ? errors : run.errors })
  return code === 'unknown' ? fallback : code
}
