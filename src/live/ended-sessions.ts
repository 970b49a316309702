const rememberMs = 60_000

/** Sessions that ended a moment ago: a connection that was let in just before must not outlive them. */
export class EndedSessions {
  readonly #ends = new Map<string, number>()

  add(userId: string, sessionId: string | undefined, now: number): void {
    for (const [key, at] of this.#ends) if (now - at > rememberMs) this.#ends.delete(key)
    this.#ends.set(keyOf(userId, sessionId), now)
  }

  /** A session that ended stays ended; a user whose sessions all ended may have signed in again since. */
  has({ userId, sessionId, admittedAt }: Admitted): boolean {
    const allEndedAt = this.#ends.get(keyOf(userId, undefined))
    return this.#ends.has(keyOf(userId, sessionId)) || (allEndedAt !== undefined && admittedAt <= allEndedAt)
  }
}

type Admitted = { readonly userId: string; readonly sessionId: string; readonly admittedAt: number }

const keyOf = (userId: string, sessionId: string | undefined) => JSON.stringify([userId, sessionId ?? null])
