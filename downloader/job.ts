import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Job, Outcome } from '#contract/downloader-link.ts'
import type { Progress, VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { askableThumbnail, makeArtwork } from './artwork.ts'
import { sizeOf } from './disk.ts'
import type { SpaceLedger } from './disk.ts'
import type { Log } from './log.ts'
import type { Placement } from './outbox.ts'
import type { Placer } from './placement.ts'
import type { Trouble } from './versions.ts'
import { download } from './ytdlp/download.ts'
import type { DownloadLimits, DownloadResult } from './ytdlp/download.ts'
import { classifyError, createFailure } from './ytdlp/failure.ts'
import { fingerprint, inspect, prove } from './ytdlp/ffprobe.ts'
import { probe } from './ytdlp/probe.ts'
import { createProgressMeter } from './ytdlp/progress.ts'
import type { ProgressMeter } from './ytdlp/progress.ts'
import { checkTarget } from './ytdlp/target.ts'
import type { Target } from './ytdlp/target.ts'
import { killStrays } from './ytdlp/terminate.ts'
import type { Toolbox } from './ytdlp/toolbox.ts'

/** Why a job is ended from outside; `dropped` ones are not spoken of again. */
const endReasons = ['cancelled', 'dropped', 'returned'] as const
export type EndReason = (typeof endReasons)[number]

export type JobReport = {
  readonly started: (metadata: VideoMetadata) => void
  readonly progress: (progress: Progress) => void
}

export type JobServices = {
  readonly jobsDirectory: string
  readonly scratchDirectory: string
  readonly allowedHosts: readonly string[]
  readonly limits: DownloadLimits
  readonly toolbox: Toolbox
  readonly troubles: () => readonly Trouble[]
  /** Told when a program turned out to be missing. */
  readonly onToolFailure: () => void
  readonly ledger: SpaceLedger
  readonly placer: Placer
  readonly log: Log
}

class JobFailed extends Error {
  override readonly name = 'JobFailed'
  readonly code: FailureCode
  readonly retryAt: Date | undefined

  constructor(code: FailureCode, retryAt?: Date) {
    super(code)
    this.code = code
    this.retryAt = retryAt
  }
}

/** What is worth keeping for the next try: the part that was fetched is good. */
const resumable: ReadonlySet<FailureCode> = new Set([
  'network',
  'server-error',
  'stalled',
  'killed',
  'rate-limited',
  'forbidden',
  'truncated',
])

/** Does one job from the first look to its one outcome; undefined when the job was dropped. */
export async function runJob(
  job: Job,
  services: JobServices,
  report: JobReport,
  signal: AbortSignal,
): Promise<Outcome | undefined> {
  const directory = jobDirectory(services.jobsDirectory, job.jobId)
  let outcome: Outcome | undefined
  try {
    outcome = await attempt(job, services, report, signal, directory)
  } catch (error) {
    outcome = settle(error, job, services, signal)
  }
  services.ledger.release(job.jobId)
  if (!isResumable(outcome) || (await sizeOf(directory)) === 0)
    await rm(directory, { recursive: true, force: true }).catch(() => undefined)
  return outcome
}

const isResumable = (outcome: Outcome | undefined): boolean =>
  outcome?.kind === 'returned' || (outcome?.kind === 'failed' && resumable.has(outcome.failure.code))

export const jobDirectory = (jobsDirectory: string, jobId: string): string => join(jobsDirectory, jobId)

function settle(
  error: unknown,
  { jobId }: Job,
  { log, onToolFailure }: JobServices,
  signal: AbortSignal,
): Outcome | undefined {
  if (signal.aborted) {
    const reason = endReasons.find((known) => known === signal.reason) ?? 'returned'
    return reason === 'dropped' ? undefined : { kind: reason }
  }
  const expected = error instanceof JobFailed
  const code = expected ? error.code : classifyError(error)
  log.warn('job failed', { jobId, code, ...(!expected && { error }) })
  if (code.endsWith('-missing') || code === 'ytdlp-outdated') onToolFailure()
  return { kind: 'failed', failure: createFailure(code, expected ? error.retryAt : undefined) }
}

async function attempt(
  job: Job,
  services: JobServices,
  report: JobReport,
  signal: AbortSignal,
  directory: string,
): Promise<Outcome> {
  const { placer, log } = services
  const meter = createProgressMeter()
  const progressed = (): void => report.progress(meter.current())
  const check = checkTarget(job.url, services.allowedHosts)
  if (!check.ok) throw new JobFailed(check.code)
  const { target } = check

  const before = await placer.recover(job.jobId)
  if (before) {
    log.info('job was placed before', { jobId: job.jobId })
    return completed(before)
  }
  refuseWithoutTools(services.troubles(), target)
  signal.throwIfAborted()
  progressed()
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const strays = await killStrays(directory)
  if (strays > 0) log.warn('ended what an earlier run left behind', { jobId: job.jobId, strays })
  const fetched = await fetchMedia(job, target, services, report, meter, signal, directory)

  meter.phase('placing')
  progressed()
  const placement = await place(job, target, fetched, services, signal, directory)
  log.info('job placed', { jobId: job.jobId, bytes: placement.file.bytes })
  return completed(placement)
}

const completed = ({ file, plexPath }: Placement): Outcome => ({ kind: 'completed', file, plexPath })

function refuseWithoutTools(troubles: readonly Trouble[], target: Target): void {
  if (troubles.includes('ytdlp-missing')) throw new JobFailed('ytdlp-missing')
  if (troubles.includes('ffmpeg-missing')) throw new JobFailed('ffmpeg-missing')
  // Other sites change less: an old version may do for them.
  if (target.youtube && troubles.includes('ytdlp-outdated')) throw new JobFailed('ytdlp-outdated')
  if (target.youtube && troubles.includes('js-runtime-unsupported')) throw new JobFailed('js-runtime-missing')
}

type Fetched = Extract<DownloadResult, { kind: 'finished' }>

async function fetchMedia(
  job: Job,
  target: Target,
  services: JobServices,
  report: JobReport,
  meter: ProgressMeter,
  signal: AbortSignal,
  directory: string,
): Promise<Fetched> {
  const { toolbox, limits, ledger, log } = services
  const result = await download({
    job,
    target,
    directory,
    toolbox,
    limits,
    ledger,
    meter,
    signal,
    onMetadata: report.started,
    onProgress: () => report.progress(meter.current()),
  })
  signal.throwIfAborted()
  const { exitCode, errors, warnings } = result.run
  if (result.kind === 'finished') {
    if (exitCode !== 0) log.warn('yt-dlp complained about a finished file', { exitCode, errors })
    return result
  }
  log.warn('yt-dlp failed', { jobId: job.jobId, code: result.code, exitCode, errors, warnings })
  if (result.code === 'live-not-started') {
    const later = await probe(target, toolbox, services.scratchDirectory, signal)
    throw new JobFailed(result.code, later.kind === 'metadata' ? later.startsAt : undefined)
  }
  throw new JobFailed(result.code)
}

async function place(
  job: Job,
  target: Target,
  { media, metadata, sound }: Fetched,
  { toolbox, allowedHosts, placer }: JobServices,
  signal: AbortSignal,
  directory: string,
): Promise<Placement> {
  const findings = await inspect(media, toolbox.ffprobe, toolbox.environment)
  const { durationSeconds } = metadata
  const facts = findings && prove(findings, { format: job.format, durationSeconds, sound })
  if (!facts) throw new JobFailed('invalid-result')
  const [{ bytes, sha256 }, artwork] = await Promise.all([
    fingerprint(media),
    makeArtwork({
      ffmpeg: toolbox.ffmpeg,
      environment: toolbox.environment,
      directory,
      signal,
      // Behind a proxy only yt-dlp knows the way out, and the home address is not to be seen.
      thumbnail: toolbox.proxy ? undefined : askableThumbnail(metadata.thumbnail, target.url, allowedHosts),
      media,
      durationSeconds: facts.durationSeconds,
    }),
  ])
  return placer.place(
    {
      jobId: job.jobId,
      videoId: job.videoId,
      site: target.youtube ? 'youtube' : target.host,
      channel: metadata.channel ?? target.host,
      metadata,
      media,
      artwork,
      scratch: directory,
      facts: { bytes, sha256, ...facts },
    },
    signal,
  )
}
