import type { Bulkhead } from '#resilience/bulkhead.ts'

import { configOf } from '../config.ts'
import { createBreaker } from './breaker.ts'
import { isStartupMaintenance } from './plex-client.ts'
import { createUpstream, type BreakerPort, type Upstream } from './upstream.ts'

export const plexBreakerName = (machineIdentifier: string) => `plex:${machineIdentifier}`

/** The one way to the Plex server, with the policy the configuration gives it. */
export function createPlexUpstream(env: Env, bulkhead: Bulkhead, breaker?: BreakerPort): Upstream {
  const { plex, retry, breaker: policy } = configOf(env)
  return createUpstream({
    breaker:
      breaker ??
      createBreaker(env.CIRCUIT_BREAKER, plexBreakerName(plex.machineIdentifier), policy, Date.now),
    bulkhead,
    retry,
    attemptTimeoutMs: plex.timeoutMs,
    deadlineMs: plex.deadlineMs,
    now: Date.now,
    random: Math.random,
    sleep: (ms) => scheduler.wait(ms),
    isMaintenance: isStartupMaintenance,
  })
}
