import type { Download, DownloadStatus, Phase, Progress } from '#contract/downloads.ts'
import type { DownloadExtras, Format, Quality } from '#contract/options.ts'
import type { Failure } from '#contract/failures.ts'
import { grant, lapsed, type Lease } from '#resilience/lease.ts'

import type { LiveState, NewDownload } from './ports.ts'

/** A download that is not over, as the queue keeps it. */
export type Job = {
  readonly id: string
  readonly userId: string
  readonly videoId: string
  readonly url: string
  readonly quality: Quality
  readonly format: Format
  readonly extras: DownloadExtras
  readonly createdAt: string
  readonly attempt: number
  /** `scanning` once the file is in place. */
  readonly state: 'waiting' | 'leased' | 'scanning'
  /** Not to be offered before this instant, in ms. */
  readonly notBefore: number
  /**
   * The last one granted, so that a new one is always greater and an old one never counts. Open-ended while its holder
   * is connected; it runs out only after the connection is lost.
   */
  readonly lease?: Lease
  /** The last one its owner was told, from a connection that was lost. */
  readonly phase?: Phase
  readonly scan?: Scan
}

export type Scan = {
  readonly path: string
  readonly file: string
  readonly since: number
  readonly requested: boolean
}

/** Names one admission of one job to one downloader. */
export type Held = { readonly jobId: string; readonly lease: number }

/** Someone who may take jobs. */
export type Candidate = {
  readonly downloaderId: string
  readonly slots: number
  /** Not to be offered anything before this instant, in ms. */
  readonly unwillingUntil: number
}

export type RetryPolicy = { readonly tries: number; readonly retryBaseMs: number }

/** When a failed request for a scan is made again. */
const scanRetryMs = 10_000

export function newJob(download: NewDownload, attempt = 1): Job {
  const { id, userId, videoId, url, quality, format, extras, createdAt } = download
  const state = 'waiting'
  return { id, userId, videoId, url, quality, format, extras, createdAt, attempt, state, notBefore: 0 }
}

export const isHeldBy = (job: Job, downloaderId: string): boolean =>
  job.state === 'leased' && job.lease?.holder === downloaderId

/** Whether this lease is the one the job is held under now. */
export const holdsLease = (job: Job | undefined, downloaderId: string, lease: number): job is Job =>
  job !== undefined && isHeldBy(job, downloaderId) && job.lease?.token === lease

/** Who gets what now: the oldest job to the downloader with the most free slots. */
export function assign(
  jobs: readonly Job[],
  candidates: readonly Candidate[],
  now: number,
): (Job & { readonly lease: Lease })[] {
  const free = new Map(
    candidates
      .filter(({ unwillingUntil }) => unwillingUntil <= now)
      .map(({ downloaderId, slots }) => [
        downloaderId,
        slots - jobs.filter((job) => isHeldBy(job, downloaderId)).length,
      ]),
  )
  return jobs
    .filter((job) => isReady(job, now))
    .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id))
    .flatMap((job) => {
      const [best] = [...free].filter(([, slots]) => slots > 0).toSorted(([, a], [, b]) => b - a)
      if (!best) return []
      const [downloaderId, slots] = best
      free.set(downloaderId, slots - 1)
      return [leased(job, downloaderId)]
    })
}

const isReady = ({ state, notBefore }: Job, now: number): boolean => state === 'waiting' && notBefore <= now

function leased(job: Job, downloaderId: string): Job & { readonly lease: Lease } {
  return { ...job, state: 'leased', lease: grant(job.lease, downloaderId, 0, Number.POSITIVE_INFINITY) }
}

/** Back in the queue, under no lease that could still report. */
export function released({ phase: _phase, ...job }: Job, notBefore = 0): Job {
  return { ...job, state: 'waiting', notBefore }
}

/** Its holder has until then to come back for it: for ever while it is connected. */
export function leasedUntil(job: Job, until: number, phase?: Phase): Job {
  return { ...job, ...(job.lease && { lease: { ...job.lease, until } }), ...(phase && { phase }) }
}

/** What a downloader that introduces itself may keep, must drop, and no longer knows of. */
export function reconcile(jobs: readonly Job[], downloaderId: string, holding: readonly Held[]) {
  const kept = jobs.filter((job) =>
    holding.some(({ jobId, lease }) => jobId === job.id && holdsLease(job, downloaderId, lease)),
  )
  return {
    kept: kept.map((job) => leasedUntil(job, Number.POSITIVE_INFINITY)),
    drop: holding.map(({ jobId }) => jobId).filter((id) => !kept.some((job) => job.id === id)),
    lost: jobs
      .filter((job) => isHeldBy(job, downloaderId) && !kept.includes(job))
      .map((job) => released(job)),
  }
}

/**
 * The jobs whose lease changes with time alone: whose holder has been silent, or away, for longer than a lease goes back
 * to the queue. `lastHeard` is undefined for a holder that is not connected.
 */
export function lapse(
  jobs: readonly Job[],
  lastHeard: (downloaderId: string) => number | undefined,
  now: number,
  leaseMs: number,
): Job[] {
  return jobs.flatMap((job) => {
    if (job.state !== 'leased' || !job.lease) return []
    const heard = lastHeard(job.lease.holder)
    const openEnded = job.lease.until === Number.POSITIVE_INFINITY
    if (heard !== undefined) {
      if (now - heard > leaseMs) return [released(job)]
      return openEnded ? [] : [leasedUntil(job, Number.POSITIVE_INFINITY)]
    }
    // Nobody saw it go, as when the object itself was restarted.
    if (openEnded) return [leasedUntil(job, now + leaseMs)]
    return lapsed(job.lease, now) ? [released(job)] : []
  })
}

/** The next attempt; `undefined` when there is none. */
export function retried(
  job: Job,
  { retryable, retryAt }: Failure,
  { tries, retryBaseMs }: RetryPolicy,
  now: number,
): Job | undefined {
  if (!retryable || job.attempt >= tries) return undefined
  const backOff = now + retryBaseMs * 2 ** (job.attempt - 1)
  const asked = retryAt === undefined ? 0 : Date.parse(retryAt)
  return { ...released(job, Math.max(backOff, asked)), attempt: job.attempt + 1 }
}

/** The file is in place, and no downloader holds the job any more. */
export function placed({ phase: _phase, ...job }: Job, scan: Scan): Job {
  return { ...job, state: 'scanning', scan }
}

/** When the queue must look again, unless something happens before. */
export function wakeAt(
  jobs: readonly Job[],
  candidates: readonly Candidate[],
  now: number,
): number | undefined {
  const times = jobs.flatMap((job): number[] => {
    if (job.state === 'leased') return job.lease ? [job.lease.until] : []
    if (job.state === 'scanning') return job.scan?.requested ? [] : [now + scanRetryMs]
    if (job.notBefore > now) return [job.notBefore]
    return candidates.map(({ unwillingUntil }) => unwillingUntil).filter((until) => until > now)
  })
  const next = Math.min(...times)
  return Number.isFinite(next) ? next : undefined
}

/** Progress as it is told: within one attempt it never goes back. */
export function advance(previous: Progress | undefined, next: Progress): Progress {
  return { ...next, percent: Math.max(previous?.percent ?? 0, next.percent) }
}

export function liveState(
  { state, notBefore }: Job,
  progress: Progress | undefined,
  connected: boolean,
  now: number,
): LiveState {
  if (state === 'scanning') return { progress: 100, waitingFor: 'plex' }
  if (state === 'leased') {
    const { percent, ...rest } = progress ?? { percent: 0 }
    return { progress: percent, ...rest }
  }
  return { progress: 0, ...(notBefore <= now && { waitingFor: connected ? 'slot' : 'downloader' }) }
}

/** The download as it is told of when it comes into being. */
export function asDownload({ id, videoId, url, quality, format, extras, createdAt, attempt }: Job): Download {
  const status: DownloadStatus = 'queued'
  return { id, videoId, url, quality, format, extras, createdAt, attempt, status, progress: 0 }
}
