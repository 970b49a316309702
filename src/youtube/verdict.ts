import { siteOf } from '#contract/downloader-link.ts'
import { policyOf, type Failure } from '#contract/failures.ts'

import { suits, type Candidate } from './assign.ts'
import { released, tallyOf, type Job, type Tally } from './job.ts'
import { restEnd, standingAt, type Rest } from './sites.ts'

export type RetryPolicy = { readonly tries: number; readonly retryBaseMs: number }

/** What the queue knows when a job has failed. */
export type Circumstances = {
  /** Who is connected; a site that has just refused the job is at rest already. */
  readonly candidates: readonly Candidate[]
  readonly retry: RetryPolicy
  /** How much must be free before it is worth another try. */
  readonly neededBytes?: number | undefined
  readonly now: number
  /** From 0 to 1. */
  readonly random: number
}

export type Verdict =
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'again'; readonly failure: Failure; readonly job: Job }

const minute = 60_000
const hour = 60 * minute
const mostFresh = 2
/** From one downloader to the next without a wait, should the site refuse this job and serve all others. */
const mostMoves = 10
const longestHoldMs = 7 * 24 * hour
/** A site is left alone for so long where the downloader has not said itself for how long it does. */
const unsaidRestMs = { 'halt-site': hour, 'back-off-site': 10 * minute } as const

type Case = Circumstances & { readonly job: Job; readonly failure: Failure; readonly tally: Tally }

/** What is different the next time. */
type Changes = Partial<Pick<Job, 'notBefore' | 'attempt' | 'avoid' | 'neededBytes'>> & {
  readonly tally?: Partial<Tally>
  /** When it goes on, where `notBefore` does not say so. */
  readonly goesOnAt?: number
}

/** What becomes of a job that has failed, by the policy of its code. */
export function verdictOn(job: Job, failure: Failure, circumstances: Circumstances): Verdict {
  const tally = tallyOf(job)
  const changes = changesFor({ ...circumstances, job, failure, tally })
  if (!changes) return { kind: 'failed', failure }
  const { goesOnAt, tally: counted, ...rest } = changes
  const at = goesOnAt ?? rest.notBefore ?? 0
  return {
    kind: 'again',
    failure: at > circumstances.now ? { ...failure, retryAt: new Date(at).toISOString() } : failure,
    job: { ...released(job), ...rest, tally: { ...tally, ...counted } },
  }
}

/** The rest that a failure means for the site, where the downloader that was refused has not told of it. */
export function restFor(job: Job, { code, retryAt }: Failure, now: number): Rest | undefined {
  const { action } = policyOf(code)
  if (action !== 'halt-site' && action !== 'back-off-site') return undefined
  const reason = action === 'halt-site' ? 'bot-check' : 'rate-limited'
  const until = retryAt === undefined ? now + unsaidRestMs[action] : Date.parse(retryAt)
  return { site: siteOf(job.url), reason, until }
}

/** As its owner is told of it: what the tools said is for admins. */
export function withoutEvidence({ evidence: _evidence, ...failure }: Failure): Failure {
  return failure
}

/** Nothing when it is over. */
function changesFor(given: Case): Changes | undefined {
  const { action } = policyOf(given.failure.code)
  // No other downloader is asked when this one knows that it would be in vain.
  if (action !== 'other-downloader' && !given.failure.retryable) return undefined
  switch (action) {
    case 'give-up':
      return undefined
    case 'retry':
      return afterPause(given)
    case 'fresh-extraction':
      return withFreshExtraction(given)
    case 'other-downloader':
      return elsewhere(given)
    case 'halt-site':
    case 'back-off-site':
      return awayFromSite(given)
    case 'wait-for-space':
      return onceThereIsSpace(given)
    case 'reschedule':
      return rescheduled(given)
  }
}

/** Anything from half of it up, so that what has failed together comes back apart. */
const jittered = (ms: number, { random }: Case): number => Math.round(ms * (0.5 + random / 2))

const askedFor = ({ retryAt }: Failure): number => (retryAt === undefined ? 0 : Date.parse(retryAt))

function afterPause(given: Case): Changes | undefined {
  const { job, failure, tally, retry, now } = given
  if (tally.tries + 1 >= retry.tries) return undefined
  const backOff = now + jittered(retry.retryBaseMs * 2 ** tally.tries, given)
  return {
    notBefore: Math.max(backOff, askedFor(failure)),
    attempt: job.attempt + 1,
    tally: { tries: tally.tries + 1 },
  }
}

function withFreshExtraction(given: Case): Changes | undefined {
  const { job, tally, retry, now } = given
  if (tally.fresh >= mostFresh) return undefined
  return {
    notBefore: now + jittered(retry.retryBaseMs, given),
    attempt: job.attempt + 1,
    tally: { fresh: tally.fresh + 1 },
  }
}

const holderOf = ({ lease }: Job): string => lease?.holder ?? ''

function elsewhere({ job, candidates }: Case): Changes | undefined {
  const avoid = [...new Set([...(job.avoid ?? []), holderOf(job)])]
  const isLeft = candidates.some(({ downloaderId }) => !avoid.includes(downloaderId))
  return isLeft ? { avoid } : undefined
}

function awayFromSite(given: Case): Changes | undefined {
  const { job, candidates, tally, retry, now } = given
  const site = siteOf(job.url)
  const able = candidates.filter((candidate) => suits(candidate, job))
  const isOpenElsewhere = able.some(
    ({ downloaderId, rests }) => downloaderId !== holderOf(job) && standingAt(rests, site, now) === 'open',
  )
  if (isOpenElsewhere && tally.moves < mostMoves) return { tally: { moves: tally.moves + 1 } }
  if (tally.rests >= retry.tries) return undefined
  const ends = able.map(({ rests }) => restEnd(rests, site))
  return {
    // The rest itself is seen to when jobs are handed out: it may end sooner, or another downloader come.
    notBefore: now + jittered(retry.retryBaseMs, given),
    ...(ends.length > 0 && { goesOnAt: Math.min(...ends) }),
    tally: { rests: tally.rests + 1 },
  }
}

/** Holding on costs no try, but it comes to an end; `longestMs` is the longest pause of those that grow. */
function held(given: Case, until: number): Changes | undefined {
  const { tally, now } = given
  const heldSince = tally.heldSince ?? now
  if (Math.max(until, now) > heldSince + longestHoldMs) return undefined
  return { notBefore: until, tally: { holds: tally.holds + 1, heldSince } }
}

const growing = (given: Case): number => jittered(Math.min(hour, minute * 2 ** given.tally.holds), given)

function onceThereIsSpace(given: Case): Changes | undefined {
  const { job, candidates, now } = given
  const neededBytes = given.neededBytes ?? job.neededBytes
  const holder = candidates.find(({ downloaderId }) => downloaderId === holderOf(job))
  // Where what is known of the disk does not keep it from the same downloader, time must.
  const isKeptAway = neededBytes !== undefined && holder !== undefined && holder.freeBytes < neededBytes
  const changes = held(given, isKeptAway ? 0 : now + growing(given))
  return changes && { ...changes, ...(neededBytes !== undefined && { neededBytes }) }
}

function rescheduled(given: Case): Changes | undefined {
  const { failure, now } = given
  return held(given, Math.max(now + growing(given), failure.retryAt ? askedFor(failure) : now + hour))
}
