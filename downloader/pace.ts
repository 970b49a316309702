const hourMs = 60 * 60_000

/** How often a site is visited: so many starts an hour, and so many at once after a quiet time. */
export type Pace = { readonly startsPerHour: number; readonly burst: number }

/** Starts that are left; below nothing when some were promised ahead of their time. Plain JSON, so that it can be stored. */
export type Bucket = { readonly tokens: number; readonly at: number }

export const fullBucket = ({ burst }: Pace, now: number): Bucket => ({ tokens: burst, at: now })

/** What is left now. A clock set back brings nothing, and takes nothing. */
export function refill({ tokens, at }: Bucket, { startsPerHour, burst }: Pace, now: number): Bucket {
  const grown = tokens + (Math.max(0, now - at) * startsPerHour) / hourMs
  return { tokens: Math.min(burst, grown), at: now }
}

/** Takes a start, or part of one, and says after how long it may be made. */
export function take(
  bucket: Bucket,
  weight: number,
  pace: Pace,
  now: number,
): { readonly bucket: Bucket; readonly waitMs: number } {
  const { tokens, at } = refill(bucket, pace, now)
  const left = tokens - weight
  return { bucket: { tokens: left, at }, waitMs: (Math.max(0, -left) * hourMs) / pace.startsPerHour }
}

export const restReasons = ['rate-limited', 'bot-check'] as const
export type RestReason = (typeof restReasons)[number]

/** A site is left alone, for the n-th time in a row. Plain JSON, so that it can be stored. */
export type Rest = {
  readonly reason: RestReason
  readonly strikes: number
  readonly since: number
  readonly until: number
}

const waits: Readonly<Record<RestReason, { readonly firstMs: number; readonly longestMs: number }>> = {
  'rate-limited': { firstMs: 60_000, longestMs: hourMs },
  'bot-check': { firstMs: hourMs, longestMs: 24 * hourMs },
}

/** By how much of itself a wait is prolonged at most, so that those who were sent away together come back apart. */
const jitter = 0.2
const shortestAskedMs = 1000

/** How long to leave the site alone: what it asks for, else twice as long as the last time. */
export function restAfter(
  previous: Rest | undefined,
  reason: RestReason,
  askedMs: number | undefined,
  now: number,
  random: () => number,
): Rest {
  const { firstMs, longestMs } = waits[reason]
  const strikes = previous?.reason === reason ? previous.strikes + 1 : 1
  const doubled = Math.min(longestMs, firstMs * 2 ** Math.min(strikes - 1, 30))
  const asked = askedMs === undefined ? doubled : Math.max(shortestAskedMs, askedMs)
  // A site that asks for the same short pause over and over does not mean it.
  const ms = strikes === 1 ? asked : Math.max(asked, doubled)
  const bounded = Math.min(ms, waits['bot-check'].longestMs)
  return { reason, strikes, since: now, until: now + Math.round(bounded * (1 + jitter * random())) }
}

/** A clock set back must not prolong the wait. */
export function restMs({ since, until }: Rest, now: number): number {
  return Math.min(Math.max(0, until - now), until - since)
}
