import { rows, text, type Row } from '../plex/container.ts'
import { plexPath, type PlexReader } from '../plex/ports.ts'
import type { PlexClient } from './plex-client.ts'
import { createAsUser, type UserTokens } from './plex-user.ts'

type Options = UserTokens & {
  readonly client: Pick<PlexClient, 'read'>
  /** Hears of what is shared with a user whenever Plex says so. */
  readonly noteShare: (userId: string, share: string) => Promise<void>
}

/** PMS as one user sees it. */
export function createPlexReader({ client, noteShare, ...tokens }: Options): PlexReader {
  const asUser = createAsUser(tokens)
  return {
    async read(userId, question) {
      const answer = await asUser(userId, (token) => client.read(token, question))
      // Before anybody gets to keep the list: what was kept under another share must be out of reach by then.
      if (question.path === sections) await noteShare(userId, shareIn(answer.container))
      return answer
    },
  }
}

const sections = plexPath`/library/sections`

/** The sections a token sees, in an order of their own: keys, and what tells a section from a later one of its key. */
function shareIn(container: Row): string {
  return rows(container['Directory'])
    .map(({ key, uuid }) => `${text(key) ?? ''}:${text(uuid) ?? ''}`)
    .toSorted()
    .join()
}
