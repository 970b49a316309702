import {
  initialBreaker,
  isOpen,
  type Admission,
  type BreakerPolicy,
  type BreakerState,
} from '#resilience/breaker.ts'

import type { Report } from '../durable/circuit-breaker.ts'
import { log } from './logger.ts'
import type { BreakerPort } from './upstream.ts'

const snapshotMs = 5_000

/** The object as this side of it sees it. */
type SharedBreaker = {
  admit(
    policy: BreakerPolicy,
    now: number,
  ): Promise<{ readonly admission: Admission; readonly state: BreakerState }>
  settle(report: Report, policy: BreakerPolicy, now: number): Promise<BreakerState>
  state(): Promise<BreakerState>
}

/**
 * One upstream's breaker as seen from an isolate. A snapshot of a closed circuit is trusted for a few seconds, and
 * an open one until it may be probed, so that neither the healthy nor the broken path asks the object each time.
 * When the object cannot be asked, calls go out on what was last known: it protects them, and must not stop them.
 */
export function createBreaker(
  namespace: { getByName(name: string): SharedBreaker },
  upstream: string,
  policy: BreakerPolicy,
  now: () => number,
): BreakerPort {
  let snapshot: { readonly state: BreakerState; readonly at: number } | undefined
  const stub = () => namespace.getByName(upstream)
  const remember = (state: BreakerState) => {
    snapshot = { state, at: now() }
  }
  const last = () => snapshot?.state ?? initialBreaker

  return {
    async admit() {
      const known = snapshot
      if (known?.state.kind === 'closed' && now() - known.at < snapshotMs) {
        return { admitted: true, ticket: known.state.generation, probe: false }
      }
      if (known?.state.kind === 'open' && isOpen(known.state, now())) {
        return { admitted: false, retryAfterMs: known.state.until - now() }
      }
      try {
        const { admission, state } = await stub().admit(policy, now())
        remember(state)
        return admission
      } catch (error) {
        log('warn', 'breaker-unreachable', { upstream, cause: String(error) })
        return { admitted: true, ticket: last().generation, probe: false }
      }
    },

    async settle(report) {
      try {
        remember(await stub().settle(report, policy, now()))
      } catch (error) {
        log('warn', 'breaker-unreachable', { upstream, cause: String(error) })
      }
    },

    async state() {
      try {
        return await stub().state()
      } catch {
        return last()
      }
    },
  }
}
