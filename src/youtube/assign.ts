import { siteOf } from '#contract/downloader-link.ts'
import { formOf } from '#contract/form.ts'

import { turnOf } from './fairness.ts'
import { isHeldBy, leased, type Job, type LeasedJob } from './job.ts'
import type { Removal } from './ports.ts'
import { standingAt, type Rest } from './sites.ts'

/** Someone who may take jobs. */
export type Candidate = {
  readonly downloaderId: string
  readonly slots: number
  /** Not to be offered anything before this instant, in ms. */
  readonly unwillingUntil: number
  readonly freeBytes: number
  /** Takes nothing before there is more room on its disk. */
  readonly isFull?: boolean
  readonly rests: readonly Rest[]
  /** Lacks what every job needs: it gets one only where nobody else is free. */
  readonly isUnfit?: boolean
}

/** All that decides who gets what. */
export type Situation = {
  readonly jobs: readonly Job[]
  readonly candidates: readonly Candidate[]
  readonly paused: boolean
  /** How many jobs a downloader may have at one site. */
  readonly perSite: number
  /** Files on their way out: their videos are not put there anew before they are gone. */
  readonly removing: readonly Pick<Removal, 'downloaderId' | 'videoId'>[]
}

const isWaiting = ({ state }: Job): boolean => state === 'waiting'

export const isReady = (job: Job, now: number): boolean => isWaiting(job) && job.notBefore <= now

/** Jobs that would fetch the same. */
const isSameWork = (one: Job, other: Job): boolean =>
  one.videoId === other.videoId && formOf(one) === formOf(other)

/** The job whose file this one will share, if all goes well: it is not fetched twice. */
export const twinOf = (job: Job, jobs: readonly Job[]): Job | undefined =>
  jobs.find((other) => !isWaiting(other) && other.id !== job.id && isSameWork(other, job))

/** Those that wait for the file of this one. */
export const twinsOf = (job: Job, jobs: readonly Job[]): Job[] =>
  jobs.filter((other) => isWaiting(other) && other.id !== job.id && isSameWork(other, job))

/** Whether this downloader could ever take the job as it is: the rest is a matter of time. */
export const suits = ({ downloaderId, freeBytes, isFull }: Candidate, { avoid, neededBytes }: Job): boolean =>
  !isFull && !avoid?.includes(downloaderId) && freeBytes >= (neededBytes ?? 0)

/** Those that are worked on, or whose file is in place. */
export const underWay = (jobs: readonly Job[]): Job[] => jobs.filter((job) => !isWaiting(job))

export const slotsLeft = ({ downloaderId, slots }: Candidate, busy: readonly Job[]): number =>
  slots - busy.filter((job) => isHeldBy(job, downloaderId)).length

/** How many jobs of the site this downloader may begin now. */
export function roomAt(
  { downloaderId, rests }: Candidate,
  site: string,
  busy: readonly Job[],
  perSite: number,
  now: number,
): number {
  const standing = standingAt(rests, site, now)
  if (standing === 'resting') return 0
  const there = busy.filter((job) => isHeldBy(job, downloaderId) && siteOf(job.url) === site)
  return (standing === 'trying' ? 1 : perSite) - there.length
}

export const isLeaving = (
  { downloaderId }: Candidate,
  { videoId }: Job,
  { removing }: Pick<Situation, 'removing'>,
): boolean => removing.some((file) => file.downloaderId === downloaderId && file.videoId === videoId)

/**
 * Who gets what now. Whoever has the fewest jobs running is served first, of those the one whose turn it is, and then the
 * one who has waited the longest: nobody is passed over for ever, nor waits behind another’s whole backlog.
 */
export function assign(situation: Situation, now: number): LeasedJob[] {
  if (situation.paused) return []
  const granted: LeasedJob[] = []
  let ready = situation.jobs.filter((job) => isReady(job, now))
  const busy = underWay(situation.jobs)
  for (;;) {
    const next = nextGrant({ ...situation, ready, busy, now })
    if (!next) return granted
    granted.push(next)
    busy.push(next)
    ready = ready.filter(({ id }) => id !== next.id)
  }
}

type Desk = Omit<Situation, 'jobs'> & {
  readonly ready: readonly Job[]
  readonly busy: readonly Job[]
  readonly now: number
}

function nextGrant(desk: Desk): LeasedJob | undefined {
  const { ready, busy, now } = desk
  if (ready.length === 0) return undefined
  const free = desk.candidates.filter(
    (candidate) => candidate.unwillingUntil <= now && slotsLeft(candidate, busy) > 0,
  )
  if (free.length === 0) return undefined
  const running = runningByUser(busy)
  let best: { readonly job: Job; readonly candidate: Candidate } | undefined
  for (const job of ready) {
    if (best && !goesBefore(job, best.job, running)) continue
    const candidate = takerOf(job, free, desk)
    if (candidate) best = { job, candidate }
  }
  return best && leased(best.job, best.candidate.downloaderId)
}

function runningByUser(busy: readonly Job[]): ReadonlyMap<string, number> {
  const running = new Map<string, number>()
  for (const { state, userId } of busy) {
    if (state === 'leased') running.set(userId, (running.get(userId) ?? 0) + 1)
  }
  return running
}

function goesBefore(a: Job, b: Job, running: ReadonlyMap<string, number>): boolean {
  const byShare = (running.get(a.userId) ?? 0) - (running.get(b.userId) ?? 0)
  const byTurn = turnOf(a) - turnOf(b)
  const byAge = a.createdAt.localeCompare(b.createdAt) || a.id.localeCompare(b.id)
  return (byShare || byTurn || byAge) < 0
}

/** Rather one that is fit, then one where nothing is to be tried out, then the one with the most free slots. */
function takerOf(job: Job, free: readonly Candidate[], desk: Desk): Candidate | undefined {
  const site = siteOf(job.url)
  const able = free.filter((candidate) => canTake(candidate, job, site, desk))
  if (able.length === 0 || twinOf(job, desk.busy)) return undefined
  const cost = ({ isUnfit, rests }: Candidate) =>
    (isUnfit ? 2 : 0) + (standingAt(rests, site, desk.now) === 'open' ? 0 : 1)
  return able.toSorted((a, b) => cost(a) - cost(b) || slotsLeft(b, desk.busy) - slotsLeft(a, desk.busy))[0]
}

function canTake(candidate: Candidate, job: Job, site: string, desk: Desk): boolean {
  const { busy, perSite, now } = desk
  return (
    suits(candidate, job) &&
    !isLeaving(candidate, job, desk) &&
    roomAt(candidate, site, busy, perSite, now) > 0 &&
    (standingAt(candidate.rests, site, now) === 'open' || isFirstToTry(candidate, job, site, desk))
  )
}

const refusals = ({ tally }: Job): number => (tally ? tally.moves + tally.rests : 0)

/** A site is tried with a job it has not refused, if there is one: the fault may be with what was asked for. */
function isFirstToTry(candidate: Candidate, job: Job, site: string, desk: Desk): boolean {
  return !desk.ready.some(
    (other) =>
      refusals(other) < refusals(job) &&
      siteOf(other.url) === site &&
      suits(candidate, other) &&
      !isLeaving(candidate, other, desk) &&
      !twinOf(other, desk.busy),
  )
}
