export type Deadline = { readonly startedAt: number; readonly at: number }

export function createDeadline(now: number, totalMs: number): Deadline {
  return { startedAt: now, at: now + totalMs }
}

/** Never negative, and never more than the total, though the clock may go back. */
export function remainingMs(deadline: Deadline, now: number): number {
  return Math.max(0, deadline.at - Math.max(now, deadline.startedAt))
}

/** The time one attempt may take: its own limit or what is left of the whole, whichever is less. */
export function attemptMs(deadline: Deadline, attemptTimeoutMs: number, now: number): number {
  return Math.min(attemptTimeoutMs, remainingMs(deadline, now))
}
