import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { siteOf } from '#contract/downloader-link.ts'
import type { Job, Outcome } from '#contract/downloader-link.ts'
import type { Progress, VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { sizeOf } from './disk.ts'
import type { SpaceLedger } from './disk.ts'
import { endReasons, isForGood } from './ending.ts'
import { finish } from './finish.ts'
import type { Log } from './log.ts'
import type { Placement } from './outbox.ts'
import type { Placer } from './placement.ts'
import { redact } from './redact.ts'
import type { Sites } from './sites.ts'
import type { Trouble } from './versions.ts'
import { download } from './ytdlp/download.ts'
import type { DownloadLimits, Fetched } from './ytdlp/download.ts'
import { askedPauseMs, classifyError, createFailure, evidenceOf } from './ytdlp/failure.ts'
import { hiddenBecause } from './ytdlp/missing-formats.ts'
import { probe } from './ytdlp/probe.ts'
import { createProgressMeter } from './ytdlp/progress.ts'
import type { ProgressMeter } from './ytdlp/progress.ts'
import type { RunResult } from './ytdlp/run.ts'
import { checkTarget } from './ytdlp/target.ts'
import type { Target } from './ytdlp/target.ts'
import { killStrays } from './ytdlp/terminate.ts'
import type { Toolbox } from './ytdlp/toolbox.ts'

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
  /** Told after each look at a video of YouTube whether some of its forms were kept back. */
  readonly onFormats: (missing: boolean) => void
  readonly ledger: SpaceLedger
  readonly placer: Placer
  readonly sites: Sites
  /** Told before a job is given up for want of space, so that what is free is known when it is. */
  readonly onNoSpace: () => Promise<void>
  /** What must not be seen in evidence or log, though it may look harmless. */
  readonly secrets: readonly string[]
  readonly log: Log
}

class JobFailed extends Error {
  override readonly name = 'JobFailed'
  readonly code: FailureCode
  readonly run: RunResult | undefined
  readonly retryAt: Date | undefined
  /** What is wrong with what was fetched, in our words. */
  readonly why: string | undefined

  constructor(
    code: FailureCode,
    run?: RunResult,
    more: { retryAt?: Date | undefined; why?: string | undefined } = {},
  ) {
    super(code)
    this.code = code
    this.run = run
    this.retryAt = more.retryAt
    this.why = more.why
  }
}

/** The site has come to rest since the job was accepted: it is not the job's turn any more. */
class GivenBack extends Error {
  override readonly name = 'GivenBack'
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
  services.sites.leave(job.jobId)
  const bytes = await sizeOf(directory)
  if (isForGood(signal) || !isResumable(outcome) || bytes === 0)
    await rm(directory, { recursive: true, force: true }).catch(() => undefined)
  if (outcome?.kind !== 'failed' || outcome.failure.code !== 'no-space') {
    services.ledger.release(job.jobId)
    return outcome
  }
  const neededBytes = services.ledger.refuse(job.jobId, bytes)
  services.ledger.release(job.jobId)
  await services.onNoSpace()
  return { ...outcome, neededBytes }
}

const isResumable = (outcome: Outcome | undefined): boolean =>
  outcome?.kind === 'returned' || (outcome?.kind === 'failed' && resumable.has(outcome.failure.code))

export const jobDirectory = (jobsDirectory: string, jobId: string): string => join(jobsDirectory, jobId)

function settle(
  error: unknown,
  { jobId }: Job,
  { log, onToolFailure, sites, secrets }: JobServices,
  signal: AbortSignal,
): Outcome | undefined {
  if (signal.aborted) {
    const reason = endReasons.find((known) => known === signal.reason) ?? 'returned'
    return reason === 'dropped' ? undefined : { kind: reason }
  }
  if (error instanceof GivenBack) return { kind: 'returned' }
  const { code, run, retryAt } =
    error instanceof JobFailed ? error : { code: classifyError(error), run: undefined, retryAt: undefined }
  const evidence =
    error instanceof JobFailed ? run && evidenceOf(run, secrets, error.why) : [redact(String(error), secrets)]
  log.warn('job failed', { jobId, code, exitCode: run?.exitCode, evidence })
  if (code.endsWith('-missing') || code === 'ytdlp-outdated') onToolFailure()
  const backAt = sites.failed(jobId, code, run && askedPauseMs(run)) ?? retryAt
  return {
    kind: 'failed',
    failure: createFailure(code, { ...(backAt && { retryAt: backAt }), ...(evidence && { evidence }) }),
  }
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
  await awaitTurn(job, target, services, signal)
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const strays = await killStrays(directory)
  if (strays > 0) log.warn('ended what an earlier run left behind', { jobId: job.jobId, strays })
  const fetched = await fetchMedia(job, target, services, report, meter, signal, directory)

  meter.phase('placing')
  progressed()
  const finished = await finish({ ...services, job, target, fetched, signal, directory })
  if (!finished.ok) throw new JobFailed(finished.code, fetched.run, finished)
  const { placement } = finished
  log.info('job placed', { jobId: job.jobId, bytes: placement.file.bytes })
  return completed(placement)
}

/** The slot books when a job is accepted; one from before a restart does it here, and has all the patience. */
async function awaitTurn(
  { jobId }: Job,
  { url }: Target,
  { sites }: JobServices,
  signal: AbortSignal,
): Promise<void> {
  if (sites.book(jobId, { site: siteOf(url), weight: 1, patienceMs: Number.POSITIVE_INFINITY }))
    throw new GivenBack()
  await sleep(sites.waitMs(jobId), undefined, { signal })
  if (sites.halted(jobId)) throw new GivenBack()
}

/** What has come of a job whose file is in its place. */
export const completed = ({ file, plexPath, selection, warnings }: Placement): Outcome => ({
  kind: 'completed',
  file,
  plexPath,
  ...(selection && { selection }),
  ...(warnings && { warnings }),
})

function refuseWithoutTools(troubles: readonly Trouble[], target: Target): void {
  if (troubles.includes('ytdlp-missing')) throw new JobFailed('ytdlp-missing')
  if (troubles.includes('ffmpeg-missing')) throw new JobFailed('ffmpeg-missing')
  // Other sites change less: an old version may do for them.
  if (target.youtube && troubles.includes('ytdlp-outdated')) throw new JobFailed('ytdlp-outdated')
  if (target.youtube && troubles.includes('js-runtime-unsupported')) throw new JobFailed('js-runtime-missing')
}

async function fetchMedia(
  job: Job,
  target: Target,
  services: JobServices,
  report: JobReport,
  meter: ProgressMeter,
  signal: AbortSignal,
  directory: string,
): Promise<Fetched> {
  const { toolbox, limits, ledger, sites, secrets, log } = services
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
    onProgress: () => {
      const progress = meter.current()
      // Only what arrives proves that the site serves us again.
      if ((progress.downloadedBytes ?? 0) > 0) sites.served(job.jobId)
      report.progress(progress)
    },
  })
  signal.throwIfAborted()
  const { run } = result
  const isHidden = hiddenBecause(run) !== undefined
  if (target.youtube && (isHidden || result.kind === 'finished')) services.onFormats(isHidden)
  if (result.kind === 'finished') {
    sites.served(job.jobId)
    const { exitCode } = run
    if (exitCode !== 0)
      log.warn('yt-dlp complained about a finished file', { exitCode, evidence: evidenceOf(run, secrets) })
    return result
  }
  if (result.code === 'live-not-started') {
    const later = await probe(target, toolbox, services.scratchDirectory, signal)
    const retryAt = later.kind === 'metadata' ? later.startsAt : undefined
    throw new JobFailed(result.code, run, { retryAt })
  }
  throw new JobFailed(result.code, run, result)
}
