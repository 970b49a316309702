import { isDeepStrictEqual } from 'node:util'
import type { FromDownloader, Job, Outcome } from '#contract/downloader-link.ts'
import type { Progress, VideoMetadata } from '#contract/downloads.ts'
import type { EndReason } from './ending.ts'
import { createFloor } from './floor.ts'
import type { JobReport } from './job.ts'
import type { Log } from './log.ts'
import type { Leased, Outbox } from './outbox.ts'
import { createThrottle } from './throttle.ts'
import type { Timers } from './throttle.ts'

export type SlotsOptions = {
  readonly limit: number
  readonly outbox: Outbox
  readonly run: (job: Job, report: JobReport, signal: AbortSignal) => Promise<Outcome | undefined>
  readonly send: (message: FromDownloader) => void
  readonly hasSpace: () => boolean
  /** Whether the site of a job wants to be visited now; if so, the visit is booked. */
  readonly admitsVisit: (job: Job) => boolean
  /** What has come of a job whose file this side has put in its place, though it may not hold the job any more. */
  readonly placed: (jobId: string) => Outcome | undefined
  /** Removes what a job that is not running has left on disk. */
  readonly clear: (jobId: string) => Promise<void>
  readonly timers: Timers
  readonly log: Log
}

export type Slots = {
  readonly offer: (job: Job) => void
  readonly cancel: (leased: Leased) => void
  /** After each greeting: forgets what is no longer ours, goes on with the rest, and says again what may be lost. */
  readonly welcome: (drop: readonly string[]) => void
  readonly holding: () => Leased[]
  /** Says again what was said a while ago and is still not acknowledged. */
  readonly resend: () => void
  /** Accepts nothing more, gives running jobs back, and waits until they have ended. */
  readonly stop: () => Promise<void>
}

type Running = {
  /** Replaced when the Worker grants the same job anew. */
  job: Job
  readonly controller: AbortController
  readonly done: Promise<void>
  metadata: VideoMetadata | undefined
  progress: Progress | undefined
}

/** At most four a second. */
const progressIntervalMs = 250

const leasedOf = ({ jobId, lease }: Leased): Leased => ({ jobId, lease })

type State = SlotsOptions & {
  readonly running: Map<string, Running>
  stopping: boolean
  /** Results that had not been acknowledged when it was last looked. */
  waitingSince: ReadonlySet<string>
}

/** Runs as many jobs at once as there are slots, and sees to it that each ends with exactly one result. */
export function createSlots(options: SlotsOptions): Slots {
  const state: State = { ...options, running: new Map(), stopping: false, waitingSince: new Set() }
  const { outbox, running } = state
  return {
    offer: (job) => offer(state, job),
    cancel: (leased) => cancel(state, leased),
    welcome: (drop) => welcome(state, drop),
    holding: () => [...outbox.held(), ...outbox.unacknowledged()].map(leasedOf),
    resend: () => resend(state),
    stop: async () => {
      state.stopping = true
      const entries = [...running.values()]
      for (const entry of entries) end(entry, 'returned')
      await Promise.all(entries.map(({ done }) => done))
    },
  }
}

function start(state: State, job: Job): void {
  const { running, log } = state
  const entry: Running = {
    job,
    controller: new AbortController(),
    done: Promise.resolve()
      .then(() => work(entry, state))
      .catch((error: unknown) => log.error('a job could not be settled', { jobId: job.jobId, error }))
      .finally(() => running.delete(job.jobId)),
    metadata: undefined,
    progress: undefined,
  }
  running.set(job.jobId, entry)
}

function offer(state: State, job: Job): void {
  const { outbox, running, send } = state
  const settled = outbox.result(job)
  if (settled) return send({ type: 'result', ...settled })
  const entry = running.get(job.jobId)
  if (entry && !entry.controller.signal.aborted) {
    if (job.lease < entry.job.lease) return
    entry.job = job
    outbox.hold(job)
    return send({ type: 'accepted', ...leasedOf(job) })
  }
  const reason = reasonToDecline(state, job)
  if (reason) return send({ type: 'declined', ...leasedOf(job), reason })
  outbox.hold(job)
  send({ type: 'accepted', ...leasedOf(job) })
  start(state, job)
}

function reasonToDecline({ stopping, running, limit, hasSpace, admitsVisit }: State, job: Job) {
  if (stopping) return 'stopping'
  if (running.size >= limit || running.has(job.jobId)) return 'no-slot'
  if (!hasSpace()) return 'no-space'
  return admitsVisit(job) ? undefined : 'site'
}

function cancel({ running, outbox, send, clear, placed }: State, leased: Leased): void {
  const entry = running.get(leased.jobId)
  if (entry) {
    if (leased.lease >= entry.job.lease) end(entry, 'cancelled')
    return
  }
  // Unknown here, so there is nothing to stop, but the Worker waits for a word. A file that is in place must not be forgotten.
  const outcome = placed(leased.jobId) ?? { kind: 'cancelled' }
  send({ type: 'result', ...outbox.settle({ ...leasedOf(leased), outcome }) })
  void clear(leased.jobId)
}

function welcome(state: State, drop: readonly string[]): void {
  const { running, outbox, send, clear, stopping } = state
  for (const jobId of drop) {
    const entry = running.get(jobId)
    if (entry) end(entry, 'dropped')
    else {
      outbox.drop(jobId)
      void clear(jobId)
    }
  }
  for (const entry of running.values()) announce(entry, send)
  if (!stopping) for (const job of outbox.held()) if (!running.has(job.jobId)) start(state, job)
  for (const result of outbox.unacknowledged()) send({ type: 'result', ...result })
}

function resend(state: State): void {
  const waiting = new Set<string>()
  for (const result of state.outbox.unacknowledged()) {
    const key = `${result.jobId} ${result.lease}`
    waiting.add(key)
    if (state.waitingSince.has(key)) state.send({ type: 'result', ...result })
  }
  state.waitingSince = waiting
}

function end({ controller }: Running, reason: EndReason): void {
  controller.abort(reason)
}

/** The frames sent as the connection broke may not have arrived. */
function announce({ job, metadata, progress, controller }: Running, send: SlotsOptions['send']): void {
  if (controller.signal.aborted) return
  if (metadata) send({ type: 'started', ...leasedOf(job), metadata })
  if (progress) send({ type: 'progress', ...leasedOf(job), progress })
}

async function work(entry: Running, { run, outbox, send, timers, log }: SlotsOptions): Promise<void> {
  const { jobId } = entry.job
  const { signal } = entry.controller
  log.info('job started', { jobId, lease: entry.job.lease, attempt: entry.job.attempt })
  const throttle = createThrottle<Progress>(
    progressIntervalMs,
    (progress) => send({ type: 'progress', ...leasedOf(entry.job), progress }),
    timers,
  )
  const atLeast = createFloor(entry.job, outbox)
  const report: JobReport = {
    started: (metadata) => {
      entry.metadata = metadata
      if (!signal.aborted) send({ type: 'started', ...leasedOf(entry.job), metadata })
    },
    progress: (measured) => {
      const progress = atLeast(measured)
      if (isDeepStrictEqual(progress, entry.progress)) return
      entry.progress = progress
      if (!signal.aborted) throttle.offer(progress)
    },
  }
  const outcome = await run(entry.job, report, signal)
  throttle.stop()
  if (outcome === undefined || signal.reason === 'dropped') {
    outbox.drop(jobId)
    log.info('job dropped', { jobId })
    return
  }
  const result = outbox.settle({ ...leasedOf(entry.job), outcome })
  log.info('job ended', { jobId, lease: result.lease, outcome: result.outcome.kind })
  send({ type: 'result', ...result })
}
