/** The token fences: whoever acts under an older one is refused, however alive it believes itself to be. */
export type Lease = { readonly holder: string; readonly token: number; readonly until: number }

/** Grants anew, ending any lease before it. Keep the last lease when it has lapsed: its token must not come back. */
export function grant(previous: Lease | undefined, holder: string, now: number, ttlMs: number): Lease {
  return { holder, token: (previous?.token ?? 0) + 1, until: now + ttlMs }
}

/** Undefined when the token is stale or the lease has lapsed: what has lapsed is granted anew, never revived. */
export function renew(
  lease: Lease | undefined,
  token: number,
  now: number,
  ttlMs: number,
): Lease | undefined {
  return lease && holds(lease, token, now) ? { ...lease, until: now + ttlMs } : undefined
}

export function lapsed(lease: Lease, now: number): boolean {
  return now >= lease.until
}

/** Whether this token may act now. */
export function holds(lease: Lease | undefined, token: number, now: number): boolean {
  return lease !== undefined && lease.token === token && !lapsed(lease, now)
}
