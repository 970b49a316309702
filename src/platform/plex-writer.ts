import type { PlexWriter } from '../plex/ports.ts'
import type { PlexClient } from './plex-client.ts'
import { createAsUser, type UserTokens } from './plex-user.ts'

type Options = UserTokens & { readonly client: Pick<PlexClient, 'write'> }

/** PMS as one user may change it. A command whose token PMS refused has done nothing, and may be sent with another. */
export function createPlexWriter({ client, ...tokens }: Options): PlexWriter {
  const asUser = createAsUser(tokens)
  return { write: (userId, command) => asUser(userId, (token) => client.write(token, command)) }
}
