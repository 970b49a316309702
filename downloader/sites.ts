import * as z from 'zod'

import type { RestingSite } from '#contract/downloader-link.ts'
import { policyOf } from '#contract/failures.ts'
import type { FailureCode } from '#contract/failures.ts'
import type { Outbox } from './outbox.ts'
import { fullBucket, restAfter, restMs, restReasons, take } from './pace.ts'
import type { Pace, Rest, RestReason } from './pace.ts'

const Site = z.object({
  bucket: z.object({ tokens: z.number(), at: z.number() }),
  rest: z
    .object({
      reason: z.enum(restReasons),
      strikes: z.int().positive(),
      since: z.number(),
      until: z.number(),
    })
    .optional(),
})
type Site = z.output<typeof Site>

export type SitesOptions = {
  readonly pace: Pace
  readonly store: Pick<Outbox, 'sites' | 'saveSite'>
  readonly now: () => number
  readonly random: () => number
  /** What `resting` answers is another. */
  readonly onChange: () => void
}

export type Booking = {
  readonly site: string
  /** What the visit costs, a download being one. */
  readonly weight: number
  /** Rather none than a turn that comes later than this. */
  readonly patienceMs: number
}

export type Refusal = { readonly reason: RestingSite['reason']; readonly waitMs: number }

/** Whoever visits a site books a turn under a name of its own, waits for it, says how it went, and leaves. */
export type Sites = {
  /** Books once, however often it is asked; after a rest for one trial alone. Undefined when a turn was had. */
  readonly book: (visitor: string, booking: Booking) => Refusal | undefined
  /** How long it is until the turn of this visitor. */
  readonly waitMs: (visitor: string) => number
  /** Why the visitor must not go any more: the site has come to rest since it booked. */
  readonly halted: (visitor: string) => Refusal | undefined
  /** The site served it: a rest that it was to try is over. */
  readonly served: (visitor: string) => void
  /** Folds in a failure; answers when to come back if it is the site that wants to be left alone. */
  readonly failed: (visitor: string, code: FailureCode, askedMs?: number) => Date | undefined
  readonly leave: (visitor: string) => void
  readonly resting: () => RestingSite[]
}

/** A turn holds on to the rest under which it was booked: what it brings proves nothing about any other. */
type Turn = Pick<Booking, 'site' | 'weight'> & { readonly at: number; readonly rest: Rest | undefined }

/** A site that limits still answers questions: only a download proves that it does no more. */
const isTrial = (weight: number, { reason }: Rest): boolean => weight >= 1 || reason === 'bot-check'

/** Up to here a job waits in its slot; the Worker is told of longer waits, and gives the job to another. */
export const patienceMs = 5000
/** The one that tries whether a rest is over is soon back. */
const trialMs = 30_000
const mostTold = 50

type State = SitesOptions & { readonly known: Map<string, Site>; readonly turns: Map<string, Turn> }

/** Spreads visits over time, and leaves sites alone that ask for it. Remembers over a restart. */
export function createSites(options: SitesOptions): Sites {
  const { store, now } = options
  const known = new Map<string, Site>()
  for (const [name, stored] of store.sites()) {
    const site = Site.safeParse(stored).data
    if (site) known.set(name, site)
  }
  const state: State = { ...options, known, turns: new Map() }
  const { turns } = state
  return {
    book: (visitor, booking) => book(state, visitor, booking),
    waitMs: (visitor) => Math.max(0, (turns.get(visitor)?.at ?? 0) - now()),
    halted: (visitor) => halted(state, visitor),
    served: (visitor) => served(state, visitor),
    failed: (visitor, code, askedMs) => failed(state, visitor, code, askedMs),
    leave: (visitor) => {
      turns.delete(visitor)
    },
    resting: () => resting(state),
  }
}

const siteOfName = ({ known, pace, now }: State, name: string): Site =>
  known.get(name) ?? { bucket: fullBucket(pace, now()) }

function save(state: State, name: string, site: Site): void {
  state.known.set(name, site)
  state.store.saveSite(name, site)
}

function book(state: State, visitor: string, { site: name, weight, patienceMs: patience }: Booking) {
  const { turns, pace, now, random, onChange } = state
  if (turns.has(visitor)) return undefined
  const site = siteOfName(state, name)
  const refusal = restRefusal(state, name, weight, site)
  if (refusal) return refusal
  const { bucket, waitMs } = take(site.bucket, weight, pace, now())
  if (waitMs > patience) return { reason: 'pace', waitMs } as const
  // Those who must wait come one by one, yet not like clockwork.
  const apartMs = waitMs === 0 ? 0 : (random() * 30 * 60_000) / pace.startsPerHour
  turns.set(visitor, { site: name, weight, at: now() + waitMs + apartMs, rest: site.rest })
  save(state, name, { ...site, bucket })
  if (paceWaitMs(state, bucket) > 0) onChange()
  return undefined
}

function restRefusal(
  { turns, now }: State,
  name: string,
  weight: number,
  { rest }: Site,
): Refusal | undefined {
  if (!rest) return undefined
  const waitMs = restMs(rest, now())
  if (waitMs > 0) return { reason: rest.reason, waitMs }
  if (!isTrial(weight, rest)) return undefined
  const trials = [...turns.values()].filter((turn) => turn.rest === rest && isTrial(turn.weight, rest))
  const tried = trials.some((turn) => turn.site === name)
  return tried ? { reason: rest.reason, waitMs: trialMs } : undefined
}

/** How long until a download would not have to wait for longer than it may in its slot. */
function paceWaitMs({ pace, now }: State, bucket: Site['bucket']): number {
  const { waitMs } = take(bucket, 1, pace, now())
  return waitMs > patienceMs ? Math.ceil(waitMs) : 0
}

function halted(state: State, visitor: string): Refusal | undefined {
  const turn = state.turns.get(visitor)
  if (!turn) return undefined
  const { rest } = siteOfName(state, turn.site)
  return rest && rest !== turn.rest ? { reason: rest.reason, waitMs: restMs(rest, state.now()) } : undefined
}

function served(state: State, visitor: string): void {
  const turn = state.turns.get(visitor)
  if (!turn?.rest || !isTrial(turn.weight, turn.rest)) return
  const { bucket, rest } = siteOfName(state, turn.site)
  if (rest !== turn.rest) return
  save(state, turn.site, { bucket })
  state.turns.set(visitor, { ...turn, rest: undefined })
  state.onChange()
}

function restReasonOf(code: FailureCode): RestReason | undefined {
  const { blame, action } = policyOf(code)
  if (blame !== 'site') return undefined
  if (action === 'halt-site') return 'bot-check'
  return action === 'back-off-site' ? 'rate-limited' : undefined
}

function failed(state: State, visitor: string, code: FailureCode, askedMs?: number): Date | undefined {
  const { turns, now, random, onChange } = state
  const reason = restReasonOf(code)
  const turn = turns.get(visitor)
  if (!reason || !turn) return undefined
  const site = siteOfName(state, turn.site)
  // Those who were under way together are sent back together, which counts once.
  const isNews = site.rest === turn.rest || (reason === 'bot-check' && site.rest?.reason !== reason)
  const rest = isNews || !site.rest ? restAfter(site.rest, reason, askedMs, now(), random) : site.rest
  if (rest !== site.rest) {
    save(state, turn.site, { ...site, rest })
    onChange()
  }
  return new Date(now() + restMs(rest, now()))
}

function resting(state: State): RestingSite[] {
  const { known, now } = state
  return [...known]
    .flatMap(([site, { bucket, rest }]): RestingSite[] => {
      if (rest) return [{ site, reason: rest.reason, waitMs: Math.ceil(restMs(rest, now())) }]
      const waitMs = paceWaitMs(state, bucket)
      return waitMs > 0 ? [{ site, reason: 'pace', waitMs }] : []
    })
    .slice(0, mostTold)
}
