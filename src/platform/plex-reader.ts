import type { PlexReader } from '../plex/ports.ts'
import type { PlexClient } from './plex-client.ts'
import { createAsUser, type UserTokens } from './plex-user.ts'

type Options = UserTokens & { readonly client: Pick<PlexClient, 'read'> }

/** PMS as one user sees it. */
export function createPlexReader({ client, ...tokens }: Options): PlexReader {
  const asUser = createAsUser(tokens)
  return { read: (userId, question) => asUser(userId, (token) => client.read(token, question)) }
}
