export type CoalescePolicy = {
  /** How long it must stay quiet before the work is due. */
  readonly quietMs: number
  /** How long the first to ask waits at most, however noisy it stays. */
  readonly maxMs: number
}

export type Pending = { readonly firstAt: number; readonly lastAt: number; readonly count: number }

/** Joins one more request to those pending. The order in which they are noted does not matter. */
export function note(pending: Pending | undefined, now: number): Pending {
  if (!pending) return { firstAt: now, lastAt: now, count: 1 }
  return {
    firstAt: Math.min(pending.firstAt, now),
    lastAt: Math.max(pending.lastAt, now),
    count: pending.count + 1,
  }
}

/** When one piece of work is due for all that are pending. */
export function dueAt(pending: Pending, policy: CoalescePolicy): number {
  return Math.min(pending.lastAt + policy.quietMs, pending.firstAt + policy.maxMs)
}
