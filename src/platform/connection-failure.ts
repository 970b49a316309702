import type { HealthCause } from '#contract/health.ts'

import { exchange, UpstreamError, type UpstreamAnswer } from './upstream.ts'

export type ConnectionCause = Extract<
  HealthCause,
  'dns' | 'tls' | 'timeout' | 'unreachable' | 'invalid-answer'
>

/**
 * Why nobody could be talked to. The runtime says of a name that leads nowhere and of a handshake that fails the same
 * empty words, so it is tried once without encryption: a name that is found, whatever answers, was not what failed.
 */
export async function causeOf(
  error: UpstreamError,
  url: string,
  timeoutMs: number,
): Promise<ConnectionCause> {
  const { kind } = error.failure
  if (kind === 'too-large') return 'invalid-answer'
  if (kind === 'timeout') return 'timeout'
  if (!isUnexplained(error.cause)) return 'unreachable'
  if (!url.startsWith('https:')) return 'dns'
  return (await isFound(url.replace(/^https:/, 'http:'), timeoutMs)) ? 'tls' : 'dns'
}

/** A connection that is refused or breaks says so; names and handshakes come as an error without a reason. */
const isUnexplained = (cause: unknown) => cause instanceof Error && /internal error/i.test(cause.message)

async function isFound(url: string, timeoutMs: number): Promise<boolean> {
  try {
    // Says nothing but the address, for whoever is there may not be our server.
    await exchange({ method: 'GET', url, headers: {}, maxBytes: 1_024 }, timeoutMs)
    return true
  } catch (error) {
    return !(error instanceof UpstreamError && isUnexplained(error.cause))
  }
}

/** At Cloudflare what fails on the way comes as an answer of Cloudflare's own, with its number for it. */
export function causeOfEdgeAnswer({ status, bytes }: UpstreamAnswer): ConnectionCause | undefined {
  if (status === 525 || status === 526) return 'tls'
  if (status === 522 || status === 524) return 'timeout'
  if (status === 521 || status === 523) return 'unreachable'
  if (status !== 530) return undefined
  const text = new TextDecoder().decode(bytes.subarray(0, 4_096))
  return /\b(error code:? ?|Error )(1001|1004|1016)\b/i.test(text) ? 'dns' : 'unreachable'
}
