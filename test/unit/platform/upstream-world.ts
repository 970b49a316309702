import { admit, initialBreaker, settle, type BreakerPolicy, type BreakerState } from '#resilience/breaker.ts'
import { createBulkhead } from '#resilience/bulkhead.ts'

import { isStartupMaintenance } from '../../../src/platform/plex-client.ts'
import {
  createUpstream,
  UpstreamError,
  type BreakerPort,
  type UpstreamFailure,
  type UpstreamOptions,
  type UpstreamRequest,
} from '../../../src/platform/upstream.ts'
import { reply } from './http-server.ts'

export const ok = reply(200, { 'content-type': 'Application/JSON; charset=utf-8' }, '{"ok":true}')

/** A breaker without an object behind it, and what was reported to it. */
function localBreaker(policy: BreakerPolicy, now: () => number) {
  let state: BreakerState = initialBreaker
  const reports: { ok: boolean; minOpenMs?: number }[] = []
  const port: BreakerPort = {
    async admit() {
      const [admission, next] = admit(state, policy, now())
      state = next
      return admission
    },
    async settle(report) {
      reports.push({ ok: report.ok, ...(report.minOpenMs !== undefined && { minOpenMs: report.minOpenMs }) })
      state = settle(state, report, policy, now(), report.minOpenMs)
    },
    state: async () => state,
  }
  return { port, reports, state: () => state }
}

/** An upstream on its own clock: sleeping moves it, and nothing waits. */
export function createWorld(overrides: Partial<UpstreamOptions> = {}, threshold = 5) {
  const clock = { now: 1_000_000, slept: [] as number[] }
  const now = () => clock.now
  const breaker = localBreaker({ threshold, windowMs: 300_000, openMs: 300_000, probeMs: 10_000 }, now)
  const upstream = createUpstream({
    breaker: breaker.port,
    bulkhead: createBulkhead(10),
    retry: { tries: 3, baseMs: 2_000, maxDelayMs: 8_000 },
    attemptTimeoutMs: 5_000,
    deadlineMs: 12_000,
    now,
    random: () => 0.5,
    sleep: async (ms) => {
      clock.slept.push(ms)
      clock.now += ms
    },
    isMaintenance: isStartupMaintenance,
    ...overrides,
  })
  const failureOf = async (request: UpstreamRequest): Promise<UpstreamFailure | undefined> => {
    try {
      await upstream.call(request)
      return undefined
    } catch (error) {
      if (error instanceof UpstreamError) return error.failure
      throw error
    }
  }
  return { upstream, breaker, clock, failureOf }
}

export const get = (url: string): UpstreamRequest => ({ method: 'GET', url, headers: {} })
