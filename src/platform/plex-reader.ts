import { Problem } from '#contract/problem.ts'

import type { PlexReader } from '../plex/ports.ts'
import type { PlexClient } from './plex-client.ts'

type Options = {
  readonly client: Pick<PlexClient, 'read'>
  readonly serverToken: (userId: string) => Promise<string | undefined>
  /** Asks plex.tv again about a user whose token PMS refused; when `renewed`, there may be another token. */
  readonly confirmMembership: (userId: string) => Promise<'renewed' | 'lost' | 'signed-out' | 'unknown'>
}

/** PMS as one user. A refused token is looked into once: it may have been replaced, or access may be gone. */
export function createPlexReader({ client, serverToken, confirmMembership }: Options): PlexReader {
  const ask: PlexReader['read'] = async (userId, question) => {
    const token = await serverToken(userId)
    const answer = token ? await client.read(token, question) : 'token-refused'
    if (answer === 'token-refused') throw new Problem('plex-sign-in-required')
    return answer
  }

  return {
    async read(userId, question) {
      const token = await serverToken(userId)
      if (!token) throw new Problem('plex-sign-in-required')
      const answer = await client.read(token, question)
      if (answer !== 'token-refused') return answer

      const standing = await confirmMembership(userId)
      switch (standing) {
        case 'renewed':
          return ask(userId, question)
        case 'lost':
          throw new Problem('not-a-member')
        case 'signed-out':
          throw new Problem('plex-sign-in-required')
        case 'unknown':
          throw new Problem('plex-tv-unavailable', { members: { retryAfter: 30 } })
      }
    },
  }
}
