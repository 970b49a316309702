import type { Allowance } from './env.ts'

/** What is left of an allowance: the IETF draft's fields and the older `X-RateLimit-*`, durations in seconds. */
export function allowanceHeaders({
  policy,
  limit,
  windowSeconds,
  remaining,
  resetSeconds,
}: Allowance): readonly (readonly [string, string])[] {
  return [
    ['RateLimit-Policy', `"${policy}";q=${limit};w=${windowSeconds}`],
    ['RateLimit', `"${policy}";r=${remaining};t=${resetSeconds}`],
    ['X-RateLimit-Limit', String(limit)],
    ['X-RateLimit-Remaining', String(remaining)],
    ['X-RateLimit-Reset', String(resetSeconds)],
  ]
}
