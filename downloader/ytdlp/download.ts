import { mkdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Job } from '#contract/downloader-link.ts'
import type { VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { freeBytes, sizeOf } from '../disk.ts'
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
  | {
      readonly kind: 'failed'
      readonly code: FailureCode
      readonly run: RunResult
      /** What is wrong with what was fetched, in our words. */
      readonly why?: string
    }

/** For each fragment yt-dlp would come back seven times, within seconds, whatever the site asks for. */
const mostRefusals = 2

/** Fetches, merges and converts in the job's directory, continuing what lies there. */
export async function download(options: DownloadRun): Promise<DownloadResult> {
  const { directory, toolbox, job, limits, ledger, signal } = options
  for (const folder of [finishedFolder, partialFolder])
    await mkdir(join(directory, folder), { recursive: true })
  const parts = await openParts(directory, join(directory, partialFolder))
  const cookies = await lendCookies(toolbox.cookiesFile, directory)
  const stop = new AbortController()
  let stoppedFor: FailureCode | undefined
  const stopFor = (code: FailureCode): void => {
    stoppedFor ??= code
    stop.abort(code)
  }
  const account = openAccount()
  let refusals = 0
  /** Looks at the disk that are under way: none may promise space after the job has ended. */
  const admissions: Promise<void>[] = []
  const watch = watchRun({
    directory,
    ...limits,
    // Parts, the merged whole and what ffmpeg is rewriting.
    maxBytes: limits.maxBytes * 3,
    onTrouble: stopFor,
    onLook: ({ bytes, grown }) => {
      ledger.holds(job.jobId, bytes)
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
      signals: [signal, stop.signal],
      graceMs,
      // What is refused before the media are subtitles, and they must not cost the film.
      onRefused: () => {
        if (account.streams.length > 0 && (refusals += 1) === mostRefusals) stopFor('rate-limited')
      },
      onRecord: (record) => {
        watch.alive()
        admissions.push(...hear(record, account, options, stopFor))
        if (!parts.fit(account)) stopFor('invalid-result')
      },
    })
    await Promise.all([...admissions, cookies.giveBack(account.files.length > 0)])
    if (stoppedFor === 'invalid-result') return invalid(run, 'it does not go on with what lay there')
    if (stoppedFor !== undefined) return { kind: 'failed', code: stoppedFor, run }
    return await judge(run, account, options)
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
  // In this order: what arrives in between is not counted twice.
  const held = await sizeOf(directory)
  const free = await freeBytes(directory).catch(() => 0)
  const decision = ledger.admit(job.jobId, bytes, free, held)
  if (decision !== 'admitted') stopFor(decision)
}

/** What does not decide whether there is a film. */
const supplement = /SponsorBlock|subtitles/i

/** The exit code alone proves nothing: zero comes with nothing written, and one with a good file. */
async function judge(run: RunResult, account: Account, place: Place): Promise<DownloadResult> {
  if (run.missing) return { kind: 'failed', code: 'ytdlp-missing', run }
  const [media, ...others] = account.files
  const { metadata } = account
  if (media === undefined || metadata === undefined) {
    const skipped = run.signal === undefined && (run.exitCode === 0 || run.exitCode === 101)
    return { kind: 'failed', code: await reasonIn(run, skipped ? 'skipped' : 'unknown', place), run }
  }
  const folder = join(place.directory, finishedFolder)
  const inside = (await realpath(folder)) + sep
  const path = await realpath(media).catch(() => '')
  const size = path.startsWith(inside) ? (await stat(path)).size : 0
  if (others.length > 0) return invalid(run, `${account.files.length} files came where one was wanted`)
  if (size === 0) {
    const why = path === '' ? 'the file is not there' : 'the file is empty or not where it belongs'
    return invalid(run, why, await reasonIn(run, 'invalid-result', place))
  }
  const sidecars = await findSidecars(folder)
  return { kind: 'finished', media: path, metadata, sound: hasSound(account), account, sidecars, run }
}

const invalid = (run: RunResult, why: string, code: FailureCode = 'invalid-result'): DownloadResult => ({
  kind: 'failed',
  code,
  run,
  why,
})

type Place = Pick<DownloadRun, 'directory' | 'limits'>

/** What a run has said of why there is no good file, or else the fallback. */
export async function reasonIn(run: RunResult, fallback: FailureCode, place: Place): Promise<FailureCode> {
  const errors = run.errors.filter((line) => !supplement.test(line))
  const code = classifyRun({ ...run, errors: errors.length > 0 ? errors : run.errors })
  // Of a full disk ffmpeg is often said to have failed, and no more.
  if (code === 'post-processing' && (await isFull(place))) return 'no-space'
  return code === 'unknown' ? fallback : code
}

const fullBytes = 1024 * 1024

async function isFull({ directory, limits }: Place): Promise<boolean> {
  const free = await freeBytes(directory).catch(() => Number.POSITIVE_INFINITY)
  return free < Math.max(limits.reserveBytes, fullBytes)
}
