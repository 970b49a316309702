export type WindowPolicy = { readonly limit: number; readonly windowMs: number }

/** Admission times in ascending order; plain JSON, so that it can be stored as it is. */
export type Window = readonly number[]

/**
 * `remaining` counts after this decision. `resetMs` is the wait until one more allowance returns, 0 when nothing is
 * used. `retryAfterMs` is exact: waiting that long admits, a millisecond less does not.
 */
export type WindowDecision =
  | { readonly allowed: true; readonly limit: number; readonly remaining: number; readonly resetMs: number }
  | {
      readonly allowed: false
      readonly limit: number
      readonly remaining: 0
      readonly resetMs: number
      readonly retryAfterMs: number
    }

export const emptyWindow: Window = []

/**
 * Admits and charges, or refuses and charges nothing. An admission is recorded at the last entry of the answered
 * window, which is later than `now` when the clock has gone back.
 */
export function take(window: Window, policy: WindowPolicy, now: number): [WindowDecision, Window] {
  const counted = prune(window, policy, now)
  if (counted.length >= policy.limit) return [refusal(counted, policy, now), counted]
  const charged = [...counted, clock(counted, now)]
  return [allowance(charged, policy, now), charged]
}

/** Answers whether `take` would admit, charging nothing. */
export function peek(window: Window, policy: WindowPolicy, now: number): WindowDecision {
  const counted = prune(window, policy, now)
  return counted.length >= policy.limit ? refusal(counted, policy, now) : allowance(counted, policy, now)
}

/** Drops what no longer counts. Answers the same array when there is nothing to drop, so a write can be skipped. */
export function prune(window: Window, policy: WindowPolicy, now: number): Window {
  const start = clock(window, now) - policy.windowMs
  const first = window.findIndex((at) => at > start)
  if (first === 0 || window.length === 0) return window
  return first < 0 ? emptyWindow : window.slice(first)
}

/** A clock that went back would make recent admissions look like future ones, so it stands still instead. */
function clock(window: Window, now: number): number {
  return Math.max(now, window.at(-1) ?? now)
}

function allowance(counted: Window, { limit, windowMs }: WindowPolicy, now: number): WindowDecision {
  const [oldest] = counted
  const resetMs = oldest === undefined ? 0 : oldest + windowMs - now
  return { allowed: true, limit, remaining: limit - counted.length, resetMs }
}

function refusal(counted: Window, { limit, windowMs }: WindowPolicy, now: number): WindowDecision {
  // After a limit was lowered, more than one admission has to leave first. A limit of zero has none that could.
  const last = counted[counted.length - limit] ?? clock(counted, now)
  const retryAfterMs = last + windowMs - now
  return { allowed: false, limit, remaining: 0, resetMs: retryAfterMs, retryAfterMs }
}
