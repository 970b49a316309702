export type RetryPolicy = {
  /** Calls in all, the first included. */
  readonly tries: number
  readonly baseMs: number
  readonly maxDelayMs: number
}

export type RetryVerdict = {
  readonly retry: boolean
  /** The least delay the upstream asks for; it may exceed the policy's longest. */
  readonly retryAfterMs?: number
}

export type RetryOptions = {
  readonly policy: RetryPolicy
  readonly deadlineAt: number
  readonly now: () => number
  readonly sleep: (ms: number) => Promise<void>
  readonly random: () => number
  readonly classify: (error: unknown) => RetryVerdict
}

/** Full jitter: anything from nothing to the doubled base, so that callers who failed together come back apart. */
export function backoffMs(policy: RetryPolicy, attempt: number, random: () => number): number {
  const doubled = policy.baseMs * Math.min(2 ** (attempt - 1), Number.MAX_VALUE)
  return Math.round(random() * Math.min(policy.maxDelayMs, doubled))
}

/** Calls until it succeeds, the tries are used up, or the next one could not start before the deadline. */
export async function retry<T>(call: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy, deadlineAt, now, sleep, random, classify } = options
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await call(attempt)
    } catch (error) {
      const verdict = classify(error)
      if (!verdict.retry || attempt >= policy.tries) throw error
      const delayMs = Math.max(backoffMs(policy, attempt, random), verdict.retryAfterMs ?? 0)
      const startsInTime = now() + delayMs < deadlineAt
      if (!startsInTime) throw error
      await sleep(delayMs)
      // A sleep may take longer than it was asked to.
      if (now() >= deadlineAt) throw error
    }
  }
}
