import { createBulkhead } from '#resilience/bulkhead.ts'

import { isRow, text } from '../plex/container.ts'
import type { PlexHealth, PlexProbe } from '../plex/ports.ts'
import { causeOf, causeOfEdgeAnswer } from './connection-failure.ts'
import { isStartupMaintenance } from './plex-client.ts'
import { exchange, UpstreamError, type BreakerPort, type UpstreamAnswer } from './upstream.ts'

type Options = {
  readonly url: string
  readonly machineIdentifier: string
  readonly breaker: BreakerPort
  /** Of those who own the server and are signed in here. */
  readonly ownerTokens: () => Promise<readonly string[]>
  readonly timeoutMs: number
  readonly now: () => number
}

const slowMs = 2_000
const maxBytes = 64 * 1024
/** Anybody may ask for Plex's health, which must not become a way to flood Plex. */
const trustedForMs = 1_000
const tokensTrustedForMs = 30_000
const tokenPatienceMs = 2_000
const atOnce = 4

/**
 * Asks `/identity` without a token, past cache, retry and breaker: what answers may not be our server at all. Only
 * when it is, the owner's token is tried, since scans need it. A refused token is never taken for an outage.
 */
export function createPlexProbe(options: Options): PlexProbe {
  const { timeoutMs, now } = options
  const places = createBulkhead(atOnce, { holdMs: timeoutMs, now })
  const isOwnerRefused = createTokenCheck(options)
  let last: { readonly at: number; readonly health: PlexHealth } | undefined

  return async () => {
    if (last && now() - last.at < trustedForMs) return last.health
    const leave = places.tryEnter()
    if (!leave) return last?.health ?? { status: 'unknown' }
    try {
      const health = await probe(options, isOwnerRefused)
      last = { at: now(), health }
      return health
    } finally {
      leave()
    }
  }
}

async function probe(options: Options, isOwnerRefused: () => Promise<boolean>): Promise<PlexHealth> {
  const { url, machineIdentifier, breaker, timeoutMs, now } = options
  const started = now()
  const address = `${url}/identity`
  try {
    const headers = { Accept: 'application/json' }
    const answer = await exchange({ method: 'GET', url: address, headers, maxBytes }, timeoutMs)
    const latencyMs = now() - started
    if (isStartupMaintenance(answer)) return { status: 'degraded', cause: 'maintenance', latencyMs }
    const identifier = answer.status === 200 ? identifierIn(answer) : undefined
    if (identifier === undefined) {
      return { status: 'unhealthy', cause: causeOfEdgeAnswer(answer) ?? 'invalid-answer', latencyMs }
    }
    if (identifier !== machineIdentifier) return { status: 'unhealthy', cause: 'wrong-server', latencyMs }
    if ((await breaker.state()).kind !== 'closed') {
      return { status: 'degraded', cause: 'circuit-open', latencyMs }
    }
    if (await isOwnerRefused()) return { status: 'degraded', cause: 'token-refused', latencyMs }
    return latencyMs > slowMs
      ? { status: 'degraded', cause: 'slow', latencyMs }
      : { status: 'healthy', latencyMs }
  } catch (error) {
    if (!(error instanceof UpstreamError)) throw error
    return { status: 'unhealthy', cause: await causeOf(error, address, timeoutMs) }
  }
}

/** Whether Plex refuses every token there is of an owner. Nobody signed in, or no answer, is not a refusal. */
function createTokenCheck({ url, ownerTokens, timeoutMs, now }: Options): () => Promise<boolean> {
  let last: { readonly at: number; readonly refused: boolean } | undefined

  const isRefused = async (token: string) => {
    const headers = { Accept: 'application/json', 'X-Plex-Token': token }
    const request = { method: 'GET' as const, url: `${url}/`, headers, maxBytes }
    const { status } = await exchange(request, Math.min(timeoutMs, tokenPatienceMs))
    return status === 401 || status === 403
  }

  const areRefused = async () => {
    const tokens = await ownerTokens()
    for (const token of tokens) if (!(await isRefused(token))) return false
    return tokens.length > 0
  }

  return async () => {
    if (last && now() - last.at < tokensTrustedForMs) return last.refused
    try {
      last = { at: now(), refused: await areRefused() }
      return last.refused
    } catch {
      return false
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
