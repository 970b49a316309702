import { Problem } from '#contract/problem.ts'

export type UserTokens = {
  readonly serverToken: (userId: string) => Promise<string | undefined>
  /** Asks plex.tv again about a user whose token PMS refused; when `renewed`, there may be another token. */
  readonly confirmMembership: (userId: string) => Promise<'renewed' | 'lost' | 'signed-out' | 'unknown'>
}

/** With a user's own token. A refused one is looked into once: it may have been replaced, or access may be gone. */
export function createAsUser({ serverToken, confirmMembership }: UserTokens) {
  return async <T>(userId: string, ask: (token: string) => Promise<T | 'token-refused'>): Promise<T> => {
    const token = await serverToken(userId)
    if (!token) throw new Problem('plex-sign-in-required')
    const answer = await ask(token)
    if (answer !== 'token-refused') return answer

    const standing = await confirmMembership(userId)
    switch (standing) {
      case 'renewed': {
        const latest = await serverToken(userId)
        const second = latest ? await ask(latest) : 'token-refused'
        if (second === 'token-refused') throw new Problem('plex-sign-in-required')
        return second
      }
      case 'lost':
        throw new Problem('not-a-member')
      case 'signed-out':
        throw new Problem('plex-sign-in-required')
      case 'unknown':
        throw new Problem('plex-tv-unavailable', { members: { retryAfter: 30 } })
    }
  }
}
