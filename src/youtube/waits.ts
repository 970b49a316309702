import { siteOf } from '#contract/downloader-link.ts'
import type { Download, Progress } from '#contract/downloads.ts'

import { isLeaving, isReady, roomAt, slotsLeft, suits, twinOf, underWay } from './assign.ts'
import type { Candidate, Situation } from './assign.ts'
import type { Job } from './job.ts'
import type { LiveState } from './ports.ts'
import { restEnd, standingAt } from './sites.ts'

/** When a failed request for a scan is made again. */
const scanRetryMs = 10_000

type Wait = { readonly for: NonNullable<Download['waitingFor']>; readonly until?: number }

/** What is live about a job: how far it is, or what it waits for. */
export function liveState(
  job: Job,
  progress: Progress | undefined,
  situation: Situation,
  now: number,
): LiveState {
  if (job.state === 'scanning') return { progress: 100, waitingFor: 'plex' }
  const { percent, ...rest } = progress ?? { percent: 0 }
  if (job.state === 'leased') return { progress: percent, ...rest }
  const wait = waitOf(job, situation, now)
  return {
    progress: percent,
    waitingFor: wait.for,
    ...(wait.until !== undefined && { waitingUntil: new Date(wait.until).toISOString() }),
  }
}

/** The first of what is in its way. */
function waitOf(job: Job, situation: Situation, now: number): Wait {
  if (situation.paused) return { for: 'resume' }
  if (job.notBefore > now) return { for: 'retry', until: job.notBefore }
  if (twinOf(job, situation.jobs)) return { for: 'twin' }
  const willing = situation.candidates.filter(({ downloaderId }) => !job.avoid?.includes(downloaderId))
  if (willing.length === 0) return { for: 'downloader' }
  const roomy = willing.filter((candidate) => suits(candidate, job))
  return roomy.length === 0 ? { for: 'space' } : waitAmong(roomy, job, situation, now)
}

function waitAmong(roomy: readonly Candidate[], job: Job, situation: Situation, now: number): Wait {
  const site = siteOf(job.url)
  const awake = roomy.filter(({ rests }) => standingAt(rests, site, now) !== 'resting')
  if (awake.length === 0) {
    return { for: 'site', until: Math.min(...roomy.map(({ rests }) => restEnd(rests, site))) }
  }
  const busy = underWay(situation.jobs)
  const free = awake.filter((candidate) => slotsLeft(candidate, busy) > 0)
  const isFull = free.every((candidate) => roomAt(candidate, site, busy, situation.perSite, now) <= 0)
  return { for: free.length > 0 && isFull ? 'site' : 'slot' }
}

/** When the queue must look again, unless something happens before: what comes of rests is `restsEndAt`. */
export function wakeAt(situation: Situation, now: number): number | undefined {
  const times = situation.jobs.flatMap((job): number[] => {
    if (job.state === 'leased') return job.lease ? [job.lease.until] : []
    if (job.state === 'scanning') return job.scan?.requested ? [] : [now + scanRetryMs]
    return !situation.paused && job.notBefore > now ? [job.notBefore] : []
  })
  const unwilling = offers(situation, now).map(({ candidate }) => candidate.unwillingUntil)
  return firstAfter(now, [...times, ...unwilling])
}

/** When the first site that keeps a job waiting is left alone no longer. */
export const restsEndAt = (situation: Situation, now: number): number | undefined =>
  firstAfter(
    now,
    offers(situation, now).map(({ job, candidate }) => restEnd(candidate.rests, siteOf(job.url))),
  )

function firstAfter(now: number, times: readonly number[]): number | undefined {
  const next = Math.min(...times.filter((at) => at > now))
  return Number.isFinite(next) ? next : undefined
}

/** What waits for nothing but that a downloader with a free slot may take it. */
function offers(situation: Situation, now: number) {
  if (situation.paused) return []
  const busy = underWay(situation.jobs)
  const free = situation.candidates.filter((candidate) => slotsLeft(candidate, busy) > 0)
  if (free.length === 0) return []
  return situation.jobs
    .filter((job) => isReady(job, now) && !twinOf(job, busy))
    .flatMap((job) =>
      free
        .filter((candidate) => suits(candidate, job) && !isLeaving(candidate, job, situation))
        .map((candidate) => ({ job, candidate })),
    )
}
