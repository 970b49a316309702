import type { Format, Progress, Quality } from '#contract/downloads.ts'
import { grant, type Lease } from '#resilience/lease.ts'

/** A download that is not over, as the queue keeps it. */
export type Job = {
  readonly id: string
  readonly userId: string
  readonly videoId: string
  readonly url: string
  readonly quality: Quality
  readonly format: Format
  readonly createdAt: string
  readonly attempt: number
  /** `offered` until the downloader says yes; `scanning` once the file is in place. */
  readonly state: 'waiting' | 'offered' | 'running' | 'scanning'
  /** Not to be offered before this instant, in ms. */
  readonly notBefore: number
  /** The last one granted, so that a new one is always greater and an old one never counts. */
  readonly lease?: Lease
  readonly scan?: {
    readonly path: string
    readonly file: string
    readonly since: number
    readonly requested: boolean
  }
}

/** Someone who may take jobs. */
export type Candidate = { readonly downloaderId: string; readonly slots: number; readonly willing: boolean }

export type Assignment = { readonly job: Job; readonly downloaderId: string }

export const isLeased = ({ state }: Job): boolean => state === 'offered' || state === 'running'

/** Whether this lease is the one the job is held under now. */
export const holdsLease = (job: Job | undefined, downloaderId: string, lease: number): job is Job =>
  job !== undefined && isLeased(job) && job.lease?.token === lease && job.lease.holder === downloaderId

/** Who gets what now: the oldest job to the downloader with the most free slots. */
export function assign(jobs: readonly Job[], candidates: readonly Candidate[], now: number): Assignment[] {
  const free = new Map(
    candidates
      .filter(({ willing }) => willing)
      .map(({ downloaderId, slots }) => [
        downloaderId,
        slots - jobs.filter((job) => isLeased(job) && job.lease?.holder === downloaderId).length,
      ]),
  )
  const waiting = jobs
    .filter((job) => job.state === 'waiting' && job.notBefore <= now)
    .toSorted((a, b) => a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id))
  return waiting.flatMap((job) => {
    const [best] = [...free].filter(([, slots]) => slots > 0).toSorted(([, a], [, b]) => b - a)
    if (!best) return []
    free.set(best[0], best[1] - 1)
    return [{ job, downloaderId: best[0] }]
  })
}

export function offered(
  job: Job,
  downloaderId: string,
  now: number,
  leaseMs: number,
): Job & { readonly lease: Lease } {
  return { ...job, state: 'offered', lease: grant(job.lease, downloaderId, now, leaseMs) }
}

/** Back in the queue, under no lease that could still report. */
export function waiting(job: Job, notBefore: number): Job {
  return { ...job, state: 'waiting', notBefore }
}

/** Progress as it is told: within one attempt it never goes back. */
export function advance(previous: Progress | undefined, next: Progress): Progress {
  return { ...next, percent: Math.max(previous?.percent ?? 0, next.percent) }
}
