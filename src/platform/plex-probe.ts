import type { PlexProbe } from '../plex/ports.ts'
import type { BreakerPort } from './upstream.ts'

type Options = {
  readonly url: string
  readonly machineIdentifier: string
  readonly breaker: BreakerPort
  readonly timeoutMs: number
  readonly now: () => number
}

const slowMs = 2_000

/**
 * Asks `/identity` without a token, past cache, retry and breaker: what answers may not be our server at all. Says
 * nothing about anybody's token, so that one bad token never looks like an outage.
 */
export function createPlexProbe({ url, machineIdentifier, breaker, timeoutMs, now }: Options): PlexProbe {
  return async () => {
    const started = now()
    try {
      const response = await fetch(`${url}/identity`, {
        headers: { Accept: 'application/json' },
        redirect: 'manual',
        signal: AbortSignal.timeout(timeoutMs),
      })
      const body = await response.text()
      const latencyMs = now() - started
      if (response.status === 503 && body.includes('title="Maintenance"')) {
        return { status: 'degraded', cause: 'maintenance', latencyMs }
      }
      if (response.status !== 200) return { status: 'unhealthy', cause: 'invalid-answer', latencyMs }
      if (identifierIn(body) !== machineIdentifier)
        return { status: 'unhealthy', cause: 'wrong-server', latencyMs }
      if ((await breaker.state()).kind !== 'closed')
        return { status: 'degraded', cause: 'circuit-open', latencyMs }
      return latencyMs > slowMs
        ? { status: 'degraded', cause: 'slow', latencyMs }
        : { status: 'healthy', latencyMs }
    } catch (error) {
      const timedOut = error instanceof Error && error.name === 'TimeoutError'
      return { status: 'unhealthy', cause: timedOut ? 'timeout' : 'unreachable' }
    }
  }
}

function identifierIn(body: string): unknown {
  try {
    const { MediaContainer } = JSON.parse(body) as { MediaContainer?: { machineIdentifier?: unknown } }
    return MediaContainer?.machineIdentifier
  } catch {
    return undefined
  }
}
