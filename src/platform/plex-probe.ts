import { createBulkhead } from '#resilience/bulkhead.ts'

import { isRow, text } from '../plex/container.ts'
import type { PlexHealth, PlexProbe } from '../plex/ports.ts'
import { isStartupMaintenance } from './plex-client.ts'
import { exchange, UpstreamError, type BreakerPort, type UpstreamAnswer } from './upstream.ts'

type Options = {
  readonly url: string
  readonly machineIdentifier: string
  readonly breaker: BreakerPort
  readonly timeoutMs: number
  readonly now: () => number
}

const slowMs = 2_000
const maxBytes = 64 * 1024
/** Anybody may ask for Plex's health, which must not become a way to flood Plex. */
const trustedForMs = 1_000
const atOnce = 4

/**
 * Asks `/identity` without a token, past cache, retry and breaker: what answers may not be our server at all. Says
 * nothing about anybody's token, so that one bad token never looks like an outage.
 */
export function createPlexProbe(options: Options): PlexProbe {
  const { timeoutMs, now } = options
  const places = createBulkhead(atOnce, { holdMs: timeoutMs, now })
  let last: { readonly at: number; readonly health: PlexHealth } | undefined

  return async () => {
    if (last && now() - last.at < trustedForMs) return last.health
    const leave = places.tryEnter()
    if (!leave) return last?.health ?? { status: 'unknown' }
    try {
      const health = await probe(options)
      last = { at: now(), health }
      return health
    } finally {
      leave()
    }
  }
}

async function probe({ url, machineIdentifier, breaker, timeoutMs, now }: Options): Promise<PlexHealth> {
  const started = now()
  try {
    const headers = { Accept: 'application/json' }
    const answer = await exchange({ method: 'GET', url: `${url}/identity`, headers, maxBytes }, timeoutMs)
    const latencyMs = now() - started
    if (isStartupMaintenance(answer)) return { status: 'degraded', cause: 'maintenance', latencyMs }
    const identifier = answer.status === 200 ? identifierIn(answer) : undefined
    if (identifier === undefined) return { status: 'unhealthy', cause: 'invalid-answer', latencyMs }
    if (identifier !== machineIdentifier) return { status: 'unhealthy', cause: 'wrong-server', latencyMs }
    if ((await breaker.state()).kind !== 'closed') {
      return { status: 'degraded', cause: 'circuit-open', latencyMs }
    }
    return latencyMs > slowMs
      ? { status: 'degraded', cause: 'slow', latencyMs }
      : { status: 'healthy', latencyMs }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    const { kind } = error.failure
    if (kind === 'too-large') return { status: 'unhealthy', cause: 'invalid-answer' }
    return { status: 'unhealthy', cause: kind === 'timeout' ? 'timeout' : 'unreachable' }
  }
}

/** What answers without an identifier is no Plex server, rather than another one. */
function identifierIn({ bytes }: UpstreamAnswer): string | undefined {
  try {
    const body: unknown = JSON.parse(new TextDecoder().decode(bytes))
    const container = isRow(body) ? body['MediaContainer'] : undefined
    return isRow(container) ? text(container['machineIdentifier']) : undefined
  } catch {
    return undefined
  }
}
