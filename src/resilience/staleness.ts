/** Fresh is served, stale is served while it is renewed or when nothing better is to be had, expired never. */
export type Freshness = 'fresh' | 'stale' | 'expired'

export type Stored = { readonly storedAt: number; readonly freshUntil: number }

/** `maxStaleMs` counts from the end of freshness, as `stale-if-error` does. */
export function freshness(stored: Stored, now: number, maxStaleMs: number): Freshness {
  if (now < stored.freshUntil) return 'fresh'
  return now < stored.freshUntil + maxStaleMs ? 'stale' : 'expired'
}

/** Whole seconds, for the `Age` field; never negative, though the writer's clock may be ahead of ours. */
export function ageSeconds(stored: Stored, now: number): number {
  return Math.floor(Math.max(0, now - stored.storedAt) / 1000)
}

/** Shortens a time to live by up to `ratio` of it, so that what was stored together does not expire together. */
export function jitterTtl(ttlMs: number, random: () => number, ratio = 0.1): number {
  return Math.round(ttlMs * (1 - ratio * random()))
}
