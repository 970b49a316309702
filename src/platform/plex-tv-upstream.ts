import { createBulkhead } from '#resilience/bulkhead.ts'

import { configOf } from '../config.ts'
import { createBreaker } from './breaker.ts'
import { createUpstream, type Upstream } from './upstream.ts'

/** The one way to plex.tv. */
export function createPlexTvUpstream(env: Env): Upstream {
  const { plexTv, retry, breaker, bulkhead } = configOf(env)
  return createUpstream({
    breaker: createBreaker(env.CIRCUIT_BREAKER, 'plex.tv', breaker, Date.now),
    bulkhead: createBulkhead(bulkhead, { holdMs: plexTv.timeoutMs, now: Date.now }),
    retry,
    attemptTimeoutMs: plexTv.timeoutMs,
    deadlineMs: plexTv.timeoutMs,
    now: Date.now,
    random: Math.random,
    sleep: (ms) => scheduler.wait(ms),
  })
}
