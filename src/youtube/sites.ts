import type { RestingSite } from '#contract/downloader-link.ts'

/** A site that a downloader leaves alone, by the queue’s own clock: until then, in ms. */
export type Rest = Omit<RestingSite, 'waitMs'> & { readonly until: number }

/**
 * What a downloader may do at a site. `trying`: its rest is over, and one job finds out whether the site has forgiven;
 * more would undo what the rest was for.
 */
export type Standing = 'open' | 'trying' | 'resting'

/** As many as are kept; what a socket can carry is limited, and who is given too much declines. */
const mostKept = 40

export const restsOf = (sites: readonly RestingSite[] | undefined, now: number): Rest[] =>
  (sites ?? [])
    .toSorted((a, b) => b.waitMs - a.waitMs)
    .slice(0, mostKept)
    .map(({ site, reason, waitMs }) => ({ site, reason, until: now + waitMs }))

export const restingSites = (rests: readonly Rest[], now: number): RestingSite[] =>
  rests.map(({ site, reason, until }) => ({ site, reason, waitMs: Math.max(0, until - now) }))

const isPunished = ({ reason }: Rest): boolean => reason !== 'pace'

export function standingAt(rests: readonly Rest[], site: string, now: number): Standing {
  const here = rests.filter((rest) => rest.site === site)
  if (here.some(({ until }) => until > now)) return 'resting'
  return here.some(isPunished) ? 'trying' : 'open'
}

/** When the site is left alone no longer; `now` or before when it is not. */
export const restEnd = (rests: readonly Rest[], site: string): number =>
  Math.max(0, ...rests.filter((rest) => rest.site === site).map(({ until }) => until))

/** What the queue concludes itself, for as long as the downloader has not said more: it never shortens a rest. */
export function withRest(rests: readonly Rest[], rest: Rest, now: number): Rest[] {
  const known = rests.find(({ site }) => site === rest.site)
  if (known && known.until > now) return [...rests]
  const reason = known && isPunished(known) ? known.reason : rest.reason
  return [...rests.filter(({ site }) => site !== rest.site), { ...rest, reason }].slice(-mostKept)
}

/** The site has served a job: a rest that was over is forgotten. */
export const withoutRest = (rests: readonly Rest[], site: string, now: number): Rest[] =>
  rests.filter((rest) => rest.site !== site || standingAt(rests, site, now) !== 'trying')

/** Whom to ask about a video: rather one that can, then one at whose site nothing is in the way, or soon not any more. */
export function whomToAsk<
  T extends { readonly rests: readonly Rest[]; readonly troubles: readonly string[] },
>(downloaders: readonly T[], site: string, now: number): T | undefined {
  const cost = ({ rests, troubles }: T): readonly number[] => [
    troubles.includes('ytdlp-missing') ? 1 : 0,
    Math.max(0, restEnd(rests, site) - now),
    standingAt(rests, site, now) === 'open' ? 0 : 1,
  ]
  return downloaders.toSorted((a, b) => {
    const [one, other] = [cost(a), cost(b)]
    return one.map((part, index) => part - (other[index] ?? 0)).find((gap) => gap !== 0) ?? 0
  })[0]
}
