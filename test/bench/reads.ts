import { bearer, type BenchSystem } from './bench-system.ts'
import type { Answer, Call } from './load.ts'
import type { Contestant } from './rounds.ts'

export type Libraries = {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly etag: string
}

const path = '/api/plex/libraries'

/** A friend's libraries, which are in the cache from here on. */
export async function warmLibraries({ baseUrl, demo }: BenchSystem): Promise<Libraries> {
  const [friend] = demo.friends
  if (!friend) throw new Error('nobody is there to read')
  const headers = bearer(friend)
  const response = await fetch(baseUrl + path, { headers })
  if (response.status !== 200) throw new Error(`the libraries answer ${response.status}`)
  return { headers, body: await response.text(), etag: response.headers.get('etag') ?? '' }
}

/** Reads from the cheapest up: what each has in addition is what it costs more. */
export function readsOf(
  { baseUrl }: BenchSystem,
  { headers, body, etag }: Libraries,
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
      { path, headers },
      (answer) => answer.status === 200 && answer.bytes === body.length && isHit(answer),
    ),
    read(
      'the same, not modified',
      { path, headers: { ...headers, 'if-none-match': etag } },
      (answer) => answer.status === 304 && answer.bytes === 0 && isHit(answer),
    ),
  ]
}
