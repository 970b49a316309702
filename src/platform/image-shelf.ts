import type { Log } from '../http/env.ts'
import type { ImageShelf } from '../plex/images.ts'

const storedAt = 'x-stored-at'

/**
 * Pictures in this data centre's cache. They are named by server, size and path alone, so that users share bytes; who
 * may see them was decided before. A cache that fails is a cache that is empty.
 */
export function createImageShelf(machineIdentifier: string, now: () => number, log: Log): ImageShelf {
  const open = () => caches.open('plex-images')
  const nameOf = (path: string, size: string) => `https://images.invalid/${machineIdentifier}/${size}${path}`
  const failed = (cause: unknown) => {
    log('warn', 'image-shelf-failed', { cause })
    return undefined
  }

  return {
    async get(path, size) {
      const found = await open()
        .then((cache) => cache.match(nameOf(path, size)))
        .catch(failed)
      if (!found?.body) return undefined
      const ageSeconds = Math.max(0, Math.floor((now() - Number(found.headers.get(storedAt))) / 1000))
      return { body: found.body, contentType: found.headers.get('content-type') ?? 'image/jpeg', ageSeconds }
    },

    async put(path, size, { body, contentType }) {
      const headers = {
        'Content-Type': contentType,
        'Cache-Control': 'public, max-age=31536000, immutable',
        [storedAt]: String(now()),
      }
      await open()
        .then((cache) => cache.put(nameOf(path, size), new Response(body, { headers })))
        .catch(failed)
    },
  }
}
