import { bearer, type BenchSystem } from './bench-system.ts'
import type { Answer, Call } from './load.ts'
import type { Contestant } from './rounds.ts'

export type Libraries = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly etag: string
}

const path = '/api/plex/libraries'

/** What each friend reads as their libraries, which are in the cache from here on. */
export async function warmLibraries({ baseUrl, demo }: BenchSystem): Promise<Libraries[]> {
  return Promise.all(
    demo.friends.map(async (friend) => {
      const headers = bearer(friend)
      const response = await fetch(baseUrl + path, { headers })
      if (response.status !== 200) throw new Error(`the libraries answer ${response.status}`)
      return { headers, body: await response.text(), etag: response.headers.get('etag') ?? '' }
    }),
  )
}

/**
 * Reads from the cheapest up: what each has in addition is what it costs more. Two friends read, since a window with the limit
 * lifted grows with every call, as no real one does.
 */
export function readsOf(
  { baseUrl }: BenchSystem,
  [frank, fatima]: readonly [Libraries, Libraries],
  size: Pick<Contestant, 'count' | 'concurrency'>,
): Contestant[] {
  const isHit = ({ headers }: Answer): boolean => headers['x-cache'] === 'HIT'
  const read = (name: string, call: Call, accepts: Contestant['accepts']): Contestant => ({
    ...size,
    name,
    baseUrl,
    call: () => call,
    accepts,
  })
  return [
    read('GET /api/health/live', { path: '/api/health/live' }, ({ status }) => status === 200),
    read(
      'GET /api/plex/libraries, cached',
      { path, headers: frank.headers },
      (answer) => answer.status === 200 && answer.bytes === frank.body.length && isHit(answer),
    ),
    read(
      'the same, not modified',
      { path, headers: { ...fatima.headers, 'if-none-match': fatima.etag } },
      (answer) => answer.status === 304 && answer.bytes === 0 && isHit(answer),
    ),
  ]
}
