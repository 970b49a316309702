export type BreakerPolicy = {
  /** Failures within the window that open the circuit. */
  readonly threshold: number
  readonly windowMs: number
  readonly openMs: number
  /** How long a probe may stay silent before another is admitted in its place. */
  readonly probeMs: number
}

type Waiting = {
  readonly generation: number
  readonly since: number
  readonly until: number
  /** Probes that failed since the circuit was last closed. */
  readonly failedProbes: number
}

/** Plain JSON, so that it outlives the process. Every change of kind, and every probe, is a new generation. */
export type BreakerState =
  | { readonly kind: 'closed'; readonly generation: number; readonly failures: readonly number[] }
  | ({ readonly kind: 'open' } & Waiting)
  | ({ readonly kind: 'probing' } & Waiting)

/** The ticket is handed back to `settle` with the outcome of the call. */
export type Admission =
  | { readonly admitted: true; readonly ticket: number; readonly probe: boolean }
  | { readonly admitted: false; readonly retryAfterMs: number }

export type Outcome = { readonly ticket: number; readonly ok: boolean }

export const initialBreaker: BreakerState = { kind: 'closed', generation: 0, failures: [] }

/** Decides whether a call may go out. Once its time is up, an open circuit admits one probe at a time. */
export function admit(state: BreakerState, policy: BreakerPolicy, now: number): [Admission, BreakerState] {
  if (state.kind === 'closed') return [{ admitted: true, ticket: state.generation, probe: false }, state]
  if (now < state.until) {
    const waiting = rebase(state, now)
    return [{ admitted: false, retryAfterMs: waiting.until - now }, waiting]
  }
  const ticket = state.generation + 1
  const { failedProbes } = state
  return [
    { admitted: true, ticket, probe: true },
    { kind: 'probing', generation: ticket, since: now, until: now + policy.probeMs, failedProbes },
  ]
}

/**
 * Folds in how a call went. One that was admitted before the last change of generation proves nothing.
 * `minOpenMs` is what the upstream asked for in `Retry-After`; the caller bounds it.
 */
export function settle(
  state: BreakerState,
  { ticket, ok }: Outcome,
  policy: BreakerPolicy,
  now: number,
  minOpenMs = 0,
): BreakerState {
  // No ticket carries the generation of an open circuit.
  if (state.kind === 'open' || ticket !== state.generation) return state
  const generation = state.generation + 1
  const until = now + Math.max(policy.openMs, minOpenMs)

  if (state.kind === 'probing') {
    if (ok) return { kind: 'closed', generation, failures: [] }
    return { kind: 'open', generation, since: now, until, failedProbes: state.failedProbes + 1 }
  }
  // A success leaves the failures around it: an upstream that fails every other call is broken too.
  if (ok) return state
  const failures = [...recent(state.failures, policy, now), now]
  return failures.length < policy.threshold
    ? { ...state, failures }
    : { kind: 'open', generation, since: now, until, failedProbes: 0 }
}

/** Whether a call would be refused now. */
export function isOpen(state: BreakerState, now: number): boolean {
  return state.kind !== 'closed' && now < state.until
}

/** Reads a state back from storage; undefined when it is none, or one of another shape. */
export function parseBreaker(value: unknown): BreakerState | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { kind, generation, failures, since, until, failedProbes }: Fields = value
  if (!isCount(generation)) return undefined
  if (kind === 'closed') {
    return Array.isArray(failures) && failures.every(isInstant) ? { kind, generation, failures } : undefined
  }
  if (kind !== 'open' && kind !== 'probing') return undefined
  if (!isInstant(since) || !isInstant(until) || until < since || !isCount(failedProbes)) return undefined
  return { kind, generation, since, until, failedProbes }
}

type Fields = { readonly [name in 'kind' | 'failures' | 'generation' | keyof Waiting]?: unknown }

/** A clock set back would prolong the wait by as much as it was set back; the wait starts anew instead. */
function rebase<State extends Waiting>(state: State, now: number): State {
  return now < state.since ? { ...state, since: now, until: now + (state.until - state.since) } : state
}

function recent(failures: readonly number[], { windowMs }: BreakerPolicy, now: number): number[] {
  return failures.map((at) => Math.min(at, now)).filter((at) => at > now - windowMs)
}

function isInstant(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value)
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
