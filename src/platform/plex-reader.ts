import { Problem } from '#contract/problem.ts'

import type { PlexReader } from '../plex/ports.ts'
import type { PlexClient } from './plex-client.ts'

type Options = {
  readonly client: PlexClient
  readonly serverToken: (userId: string) => Promise<string | undefined>
  /** Asks plex.tv again about a user whose token PMS refused. */
  readonly confirmMembership: (
    userId: string,
  ) => Promise<'member' | 'renewed' | 'lost' | 'signed-out' | 'unknown'>
}

/** PMS as one user. A refused token is looked into once: it may have been replaced, or access may be gone. */
export function createPlexReader({ client, serverToken, confirmMembership }: Options): PlexReader {
  return {
    async read(userId, question) {
      const token = await serverToken(userId)
      if (!token) throw new Problem('plex-sign-in-required')
      const answer = await client.read(token, question)
      if (answer !== 'token-refused') return answer

      const standing = await confirmMembership(userId)
      if (standing === 'lost') throw new Problem('not-a-member')
      if (standing === 'unknown') throw new Problem('plex-tv-unavailable', { members: { retryAfter: 30 } })
      const renewed = standing === 'renewed' ? await serverToken(userId) : undefined
      const again = renewed ? await client.read(renewed, question) : 'token-refused'
      if (again === 'token-refused') throw new Problem('plex-sign-in-required')
      return again
    },
  }
}
