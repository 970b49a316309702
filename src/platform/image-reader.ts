import { pixels } from '../plex/image-paths.ts'
import type { ImageDependencies } from '../plex/images.ts'
import { plexPath } from '../plex/ports.ts'
import type { PlexClient } from './plex-client.ts'
import { createAsUser, type UserTokens } from './plex-user.ts'

type Options = UserTokens & { readonly client: Pick<PlexClient, 'picture'> }

/** Pictures as PMS's transcoder makes them for one user. */
export function createImageReader({ client, ...tokens }: Options): ImageDependencies['read'] {
  const asUser = createAsUser(tokens)
  return (userId, path, size) => {
    const { width, height } = pixels(path, size)
    const query = {
      url: path,
      width: String(width),
      height: String(height),
      minSize: '1',
      upscale: '1',
      format: 'jpeg',
    }
    return asUser(userId, (token) => client.picture(token, { path: plexPath`/photo/:/transcode`, query }))
  }
}
