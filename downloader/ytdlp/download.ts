import { mkdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import type { Job } from '#contract/downloader-link.ts'
import type { VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { freeBytes } from '../disk.ts'
import type { SpaceLedger } from '../disk.ts'
import { downloadArguments, finishedFolder, partialFolder } from './arguments.ts'
import { lendCookies } from './cookies.ts'
import { classifyRun } from './failure.ts'
import { toVideoMetadata } from './metadata.ts'
import { reopenParts } from './parts.ts'
import type { ProgressMeter } from './progress.ts'
import type { RawStream, YtDlpRecord } from './records.ts'
import { runYtDlp } from './run.ts'
import type { RunResult } from './run.ts'
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

export type DownloadResult =
  | {
      readonly kind: 'finished'
      readonly media: string
      readonly metadata: VideoMetadata
      readonly sound: boolean
      readonly run: RunResult
    }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly run: RunResult }

/** What the records of a run have told. */
type Account = {
  metadata: VideoMetadata | undefined
  sound: boolean
  started: boolean
  readonly files: string[]
  readonly exactSizes: Map<string, number>
  /** Looks at the disk that are under way: none may promise space after the job has ended. */
  readonly admissions: Promise<void>[]
}

const openAccount = (): Account => ({
  metadata: undefined,
  sound: false,
  started: false,
  files: [],
  exactSizes: new Map(),
  admissions: [],
})

/** Fetches, merges and converts in the job's directory, continuing what lies there. */
export async function download(options: DownloadRun): Promise<DownloadResult> {
  const { directory, toolbox, job, limits, signal } = options
  for (const folder of [finishedFolder, partialFolder])
    await mkdir(join(directory, folder), { recursive: true })
  await reopenParts(join(directory, partialFolder))
  const cookies = await lendCookies(toolbox.cookiesFile, directory)
  const stop = new AbortController()
  let stoppedFor: FailureCode | undefined
  const stopFor = (code: FailureCode): void => {
    stoppedFor ??= code
    stop.abort()
  }
  const account = openAccount()
  // Parts, the merged whole and what ffmpeg is rewriting.
  const watch = watchRun({ directory, ...limits, maxBytes: limits.maxBytes * 3, onTrouble: stopFor })
  const nonce = createNonce()
  try {
    const run = await runYtDlp({
      file: toolbox.ytDlp,
      arguments: downloadArguments({
        ...runOptions(toolbox, { nonce, url: options.target.url, directory, cookiesFile: cookies.file }),
        quality: job.quality,
        format: job.format,
      }),
      directory,
      environment: toolbox.environment,
      nonce,
      signal: AbortSignal.any([signal, stop.signal]),
      graceMs,
      onRecord: (record) => {
        watch.alive()
        hear(record, account, options, stopFor)
      },
    })
    await Promise.all([...account.admissions, cookies.giveBack(account.files.length > 0)])
    if (stoppedFor !== undefined) return { kind: 'failed', code: stoppedFor, run }
    return await judge(run, account, directory)
  } finally {
    watch.stop()
  }
}

function hear(
  record: YtDlpRecord,
  account: Account,
  options: DownloadRun,
  stopFor: (code: FailureCode) => void,
): void {
  const { meter } = options
  switch (record.kind) {
    case 'metadata': {
      account.metadata = toVideoMetadata(record.info, record.formats ?? [])
      if (account.metadata.live === 'live') stopFor('live-processing')
      else options.onMetadata(account.metadata)
      break
    }
    case 'start': {
      const streams = record.streams?.length ? record.streams : [record.info]
      account.started = true
      account.sound = streams.some(({ acodec }) => acodec !== undefined && acodec !== 'none')
      meter.streams(streams)
      account.admissions.push(admit(expectedBytes(streams, record.info.duration), options, stopFor))
      break
    }
    case 'tick': {
      meter.tick(record.info.format_id, record.tick)
      const { total_bytes: total } = record.tick
      if (total !== undefined && account.exactSizes.get(record.info.format_id) !== total) {
        account.exactSizes.set(record.info.format_id, total)
        const known = [...account.exactSizes.values()].reduce((sum, size) => sum + size, 0)
        account.admissions.push(admit(known, options, stopFor))
      }
      break
    }
    case 'step':
      if (account.started) meter.phase('processing')
      break
    case 'file':
      account.files.push(record.info.filepath)
      break
  }
  options.onProgress()
}

function expectedBytes(streams: readonly RawStream[], durationSeconds: number | undefined): number {
  return streams.reduce(
    (sum, { filesize, filesize_approx, tbr }) =>
      sum + (filesize ?? filesize_approx ?? (tbr ?? 0) * 125 * (durationSeconds ?? 0)),
    0,
  )
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

/** The exit code alone proves nothing: zero comes with nothing written, and one with a good file. */
async function judge(run: RunResult, account: Account, directory: string): Promise<DownloadResult> {
  if (run.missing) return { kind: 'failed', code: 'ytdlp-missing', run }
  const [media, ...others] = account.files
  if (media === undefined || account.metadata === undefined) {
    const code = classifyRun(run)
    const skipped = code === 'unknown' && (run.exitCode === 0 || run.exitCode === 101)
    return { kind: 'failed', code: skipped ? 'skipped' : code, run }
  }
  const inside = (await realpath(join(directory, finishedFolder))) + sep
  const path = await realpath(media).catch(() => '')
  const size = path.startsWith(inside) ? (await stat(path)).size : 0
  if (others.length > 0 || size === 0) return { kind: 'failed', code: 'invalid-result', run }
  return { kind: 'finished', media: path, metadata: account.metadata, sound: account.sound, run }
}
