import { Phase, type Download, type DownloadStatus, type Progress } from '#contract/downloads.ts'
import { DownloadExtras, type Format, type Quality } from '#contract/options.ts'
import { grant, lapsed, type Lease } from '#resilience/lease.ts'

import type { NewDownload } from './ports.ts'

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
  /** Lower ones are served first, see `Fairness`. */
  readonly turn?: number
  /** `scanning` once the file is in place. */
  readonly state: 'waiting' | 'leased' | 'scanning'
  /** Not to be offered before this instant, in ms. */
  readonly notBefore: number
  /**
   * The last one granted, so that a new one is always greater and an old one never counts. Open-ended while its holder
   * is connected; it runs out only after the connection is lost.
   */
  readonly lease?: Lease
  /** What its owner was told last of this attempt, when whoever had told it has left. */
  readonly told?: Told
  readonly scan?: Scan
  /** Downloaders that cannot do it, while others may. */
  readonly avoid?: readonly string[]
  /** Not to be offered to a downloader with less space. */
  readonly neededBytes?: number
  readonly tally?: Tally
}

/** How far a job is, as its owner believes. */
export type Told = Pick<Progress, 'phase' | 'percent'>

export type Scan = {
  readonly path: string
  readonly file: string
  readonly since: number
  readonly requested: boolean
}

/** Names one admission of one job to one downloader. */
export type Held = { readonly jobId: string; readonly lease: number }

export type LeasedJob = Job & { readonly lease: Lease }

/** How often it was tried in which way. Each way has an end, so that nothing is tried for ever. */
export type Tally = {
  /** Those that count against what the queue is set to. */
  readonly tries: number
  readonly fresh: number
  /** From a downloader that a site wants rid of to another, and times it waited for all of them. */
  readonly moves: number
  readonly rests: number
  /** Times it waited for space or for a broadcast, and since when. */
  readonly holds: number
  readonly heldSince?: number
}

const noExtras = DownloadExtras.parse({})
const untried: Tally = { tries: 0, fresh: 0, moves: 0, rests: 0, holds: 0 }

export function newJob(download: NewDownload, attempt = 1): Job {
  const { id, userId, videoId, url, quality, format, extras, createdAt } = download
  const state = 'waiting'
  return { id, userId, videoId, url, quality, format, extras, createdAt, attempt, state, notBefore: 0 }
}

/** Somebody wants it tried anew: what was tried before does not count. */
export const reopened = (download: NewDownload, attempt: number, now: number): Job => ({
  ...fenced(newJob(download, attempt), now),
  tally: untried,
})

/** What was said under a lease of an earlier life of this job must not count: tokens go on from the clock. */
export const fenced = (job: Job, now: number): Job => ({
  ...job,
  lease: { holder: '', token: now, until: now },
})

/** A job as it was stored, by whatever release. */
export const restored = (stored: Omit<Job, 'extras'> & Partial<Job>): Job => ({ extras: noExtras, ...stored })

/** Of a job that was taken in from what D1 knows, all attempts count. */
export const tallyOf = ({ tally, attempt }: Job): Tally => tally ?? { ...untried, tries: attempt - 1 }

export const isHeldBy = (job: Job, downloaderId: string): boolean =>
  job.state === 'leased' && job.lease?.holder === downloaderId

/** Whether this lease is the one the job is held under now. */
export const holdsLease = (job: Job | undefined, downloaderId: string, lease: number): job is Job =>
  job !== undefined && isHeldBy(job, downloaderId) && job.lease?.token === lease

export function leased(job: Job, downloaderId: string): LeasedJob {
  return { ...job, state: 'leased', lease: grant(job.lease, downloaderId, 0, Number.POSITIVE_INFINITY) }
}

/** Back in the queue, under no lease that could still report. */
export function released(job: Job, notBefore = 0): Job {
  return { ...job, state: 'waiting', notBefore }
}

/** For its owner it begins anew. */
export function untold({ told: _told, ...job }: Job): Job {
  return job
}

/** Its holder has until then to come back for it: for ever while it is connected. */
export function leasedUntil(job: Job, until: number, told?: Told): Job {
  return { ...job, ...(job.lease && { lease: { ...job.lease, until } }), ...(told && { told }) }
}

/**
 * What a downloader that introduces itself may keep, what it must drop since that goes on without it, what is over and
 * has to leave nothing behind, and what it no longer knows of.
 */
export function reconcile(jobs: readonly Job[], downloaderId: string, holding: readonly Held[]) {
  const kept = jobs.filter((job) =>
    holding.some(({ jobId, lease }) => jobId === job.id && holdsLease(job, downloaderId, lease)),
  )
  const others = holding.filter(({ jobId }) => !kept.some(({ id }) => id === jobId))
  // Of what is in place already nobody fetches any more: a second file must not be forgotten.
  const goesOn = ({ jobId }: Held) => jobs.some(({ id, state }) => id === jobId && state !== 'scanning')
  return {
    kept: kept.map((job) => leasedUntil(job, Number.POSITIVE_INFINITY)),
    drop: others.filter(goesOn).map(({ jobId }) => jobId),
    over: others.filter((held) => !goesOn(held)),
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

/** The file is in place, and no downloader holds the job any more. */
export function placed(job: Job, scan: Scan): Job {
  return { ...untold(job), state: 'scanning', scan }
}

/** Progress as it is told: within one attempt neither the percentage nor the phase goes back. */
export function advance(previous: Told | undefined, next: Progress): Progress {
  if (!previous) return next
  const phase =
    Phase.options.indexOf(previous.phase) > Phase.options.indexOf(next.phase) ? previous.phase : next.phase
  return { ...next, phase, percent: Math.max(previous.percent, next.percent) }
}

/** The download as it is told of when it comes into being. */
export function asDownload({ id, videoId, url, quality, format, extras, createdAt, attempt }: Job): Download {
  const status: DownloadStatus = 'queued'
  return { id, videoId, url, quality, format, extras, createdAt, attempt, status, progress: 0 }
}
