import { isRow, text } from '../plex/container.ts'
import type { PlexProbe } from '../plex/ports.ts'
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

/**
 * Asks `/identity` without a token, past cache, retry and breaker: what answers may not be our server at all. Says
 * nothing about anybody's token, so that one bad token never looks like an outage.
 */
export function createPlexProbe({ url, machineIdentifier, breaker, timeoutMs, now }: Options): PlexProbe {
  return async () => {
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
