import type { BreakerState } from '#resilience/breaker.ts'
import type { Bulkhead } from '#resilience/bulkhead.ts'
import { attemptMs, createDeadline, remainingMs, type Deadline } from '#resilience/deadline.ts'
import { retry, type RetryPolicy } from '#resilience/retry.ts'

export type UpstreamFailure =
  | { readonly kind: 'network' | 'timeout' | 'too-large' | 'busy' }
  | { readonly kind: 'status'; readonly status: number; readonly retryAfterMs?: number }
  | { readonly kind: 'maintenance'; readonly retryAfterMs: number }
  | { readonly kind: 'open'; readonly retryAfterMs: number }

/** Why a call to Plex or plex.tv brought nothing. Carries no text of theirs. */
export class UpstreamError extends Error {
  readonly failure: UpstreamFailure

  constructor(failure: UpstreamFailure, cause?: unknown) {
    super(failure.kind === 'status' ? `status ${failure.status}` : failure.kind, { cause })
    this.name = 'UpstreamError'
    this.failure = failure
  }
}

export type UpstreamAnswer = {
  readonly status: number
  readonly headers: Headers
  readonly contentType: string
  readonly bytes: Uint8Array
}

export type UpstreamRequest = {
  readonly url: string
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  readonly headers: Readonly<Record<string, string>>
  readonly maxBytes?: number
  readonly deadlineMs?: number
}

/** The breaker of one upstream as this isolate sees it. */
export type BreakerPort = {
  admit(): Promise<
    | { readonly admitted: true; readonly ticket: number; readonly probe: boolean }
    | { readonly admitted: false; readonly retryAfterMs: number }
  >
  settle(report: {
    readonly ticket: number
    readonly ok: boolean
    readonly minOpenMs?: number
  }): Promise<void>
  state(): Promise<BreakerState>
}

export type UpstreamOptions = {
  readonly breaker: BreakerPort
  readonly bulkhead: Bulkhead
  readonly retry: RetryPolicy
  readonly attemptTimeoutMs: number
  readonly deadlineMs: number
  readonly now: () => number
  readonly random: () => number
  readonly sleep: (ms: number) => Promise<void>
  /** Tells a server that is starting up from one that is broken. */
  readonly isMaintenance?: (answer: UpstreamAnswer) => boolean
}

export type Upstream = { call(request: UpstreamRequest): Promise<UpstreamAnswer> }

const defaultMaxBytes = 16 * 1024 * 1024
const retriedStatuses = new Set([429, 500, 502, 503, 504])
const waitForPlaceMs = 2_000

/** One path to an upstream: deadline, retry, breaker, attempt time-out, call; in that order, outermost first. */
export function createUpstream(options: UpstreamOptions): Upstream {
  return {
    async call(request) {
      const { now, random, sleep } = options
      const deadline = createDeadline(now(), request.deadlineMs ?? options.deadlineMs)
      // A try that is repeated must do no harm, so writes are never repeated.
      const tries = request.method === 'GET' ? options.retry.tries : 1
      return retry(() => attempt(request, deadline, options), {
        policy: { ...options.retry, tries },
        deadlineAt: deadline.at,
        now,
        sleep,
        random,
        classify: retryVerdict,
      })
    },
  }
}

function retryVerdict(error: unknown): { retry: boolean; retryAfterMs?: number } {
  if (!(error instanceof UpstreamError)) return { retry: false }
  const { failure } = error
  if (failure.kind === 'network' || failure.kind === 'timeout') return { retry: true }
  if (failure.kind !== 'status' || !retriedStatuses.has(failure.status)) return { retry: false }
  return { retry: true, ...(failure.retryAfterMs !== undefined && { retryAfterMs: failure.retryAfterMs }) }
}

async function attempt(
  request: UpstreamRequest,
  deadline: Deadline,
  options: UpstreamOptions,
): Promise<UpstreamAnswer> {
  const { breaker } = options
  const leave = await enter(deadline, options)
  try {
    const admission = await breaker.admit()
    if (!admission.admitted) throw new UpstreamError({ kind: 'open', retryAfterMs: admission.retryAfterMs })
    const { ticket, probe } = admission
    try {
      const answer = await call(request, deadline, options)
      // A healthy circuit is not told of successes: that would cost a call to the object each time.
      if (probe) await breaker.settle({ ticket, ok: true })
      return answer
    } catch (error) {
      const minOpenMs = counts(error)
      if (minOpenMs !== undefined)
        await breaker.settle({ ticket, ok: false, ...(minOpenMs > 0 && { minOpenMs }) })
      else if (probe) await breaker.settle({ ticket, ok: true })
      throw error
    }
  } finally {
    leave()
  }
}

// Another request must not wake this one's promise, so a full bulkhead is looked at again, not queued at.
async function enter(
  deadline: Deadline,
  { bulkhead, now, sleep, random }: UpstreamOptions,
): Promise<() => void> {
  const until = now() + Math.min(waitForPlaceMs, remainingMs(deadline, now()))
  for (;;) {
    const leave = bulkhead.tryEnter()
    if (leave) return leave
    await sleep(10 + 30 * random())
    if (now() >= until) throw new UpstreamError({ kind: 'busy' })
  }
}

const maxOpenMs = 15 * 60_000

/** Whether a failure speaks against the upstream: then how long it asked to be left alone, within reason. */
function counts(error: unknown): number | undefined {
  if (!(error instanceof UpstreamError)) return undefined
  const { failure } = error
  if (failure.kind === 'network' || failure.kind === 'timeout') return 0
  if (failure.kind !== 'status' || failure.status < 500) return undefined
  return Math.min(maxOpenMs, failure.retryAfterMs ?? 0)
}

/** One exchange, whatever its status. Throws `network`, `timeout` and `too-large` only. */
export async function exchange(request: UpstreamRequest, timeoutMs: number): Promise<UpstreamAnswer> {
  const signal = AbortSignal.timeout(timeoutMs)
  try {
    const { url, method, headers } = request
    // A redirect could carry a token to another host.
    const response = await fetch(url, { method, headers, signal, redirect: 'manual' })
    return {
      status: response.status,
      headers: response.headers,
      contentType: response.headers.get('content-type')?.split(';', 1)[0]?.trim().toLowerCase() ?? '',
      bytes: await readCapped(response, request.maxBytes ?? defaultMaxBytes),
    }
  } catch (cause) {
    if (cause instanceof UpstreamError) throw cause
    throw new UpstreamError({ kind: signal.aborted ? 'timeout' : 'network' }, cause)
  }
}

async function call(
  request: UpstreamRequest,
  deadline: Deadline,
  options: UpstreamOptions,
): Promise<UpstreamAnswer> {
  const answer = await exchange(request, attemptMs(deadline, options.attemptTimeoutMs, options.now()))
  if (options.isMaintenance?.(answer)) {
    throw new UpstreamError({
      kind: 'maintenance',
      retryAfterMs: retryAfterMs(answer.headers, options.now()) ?? 10_000,
    })
  }
  if (answer.status === 429 || answer.status >= 500) {
    const after = retryAfterMs(answer.headers, options.now())
    throw new UpstreamError({
      kind: 'status',
      status: answer.status,
      ...(after !== undefined && { retryAfterMs: after }),
    })
  }
  return answer
}

async function readCapped(response: Response, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength
    if (size > maxBytes) throw new UpstreamError({ kind: 'too-large' })
    chunks.push(chunk)
  }
  if (chunks.length === 1 && chunks[0]) return chunks[0]
  const bytes = new Uint8Array(size)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.byteLength
  }
  return bytes
}

const maxRetryAfterMs = 60 * 60_000

/** `Retry-After` as seconds or a date, RFC 9110 §10.2.3. */
function retryAfterMs(headers: Headers, now: number): number | undefined {
  const value = headers.get('retry-after')?.trim()
  if (!value) return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - now
  return Number.isFinite(ms) ? Math.min(maxRetryAfterMs, Math.max(0, ms)) : undefined
}
