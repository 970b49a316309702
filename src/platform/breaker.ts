import { isOpen, type BreakerPolicy, type BreakerState } from '#resilience/breaker.ts'

import type { CircuitBreaker } from '../durable/circuit-breaker.ts'
import type { BreakerPort } from './upstream.ts'

const snapshotMs = 5_000

/**
 * One upstream's breaker as seen from an isolate. A snapshot of a closed circuit is trusted for a few seconds, and
 * an open one until it may be probed, so that neither the healthy nor the broken path asks the object each time.
 */
export function createBreaker(
  namespace: DurableObjectNamespace<CircuitBreaker>,
  upstream: string,
  policy: BreakerPolicy,
  now: () => number,
): BreakerPort {
  let snapshot: { readonly state: BreakerState; readonly at: number } | undefined
  const stub = () => namespace.getByName(upstream)
  const remember = (state: BreakerState) => {
    snapshot = { state, at: now() }
  }

  return {
    async admit() {
      const known = snapshot
      if (known?.state.kind === 'closed' && now() - known.at < snapshotMs) {
        return { admitted: true, ticket: known.state.generation, probe: false }
      }
      if (known && known.state.kind === 'open' && isOpen(known.state, now())) {
        return { admitted: false, retryAfterMs: known.state.until - now() }
      }
      const { admission, state } = await stub().admit(policy)
      remember(state)
      return admission
    },

    async settle(report) {
      remember(await stub().settle(report, policy))
    },

    state: () => stub().state(),
  }
}
