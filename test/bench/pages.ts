import { setTimeout as sleep } from 'node:timers/promises'
import * as z from 'zod'

import { bearer, type BenchSystem } from './bench-system.ts'
import type { Answer } from './load.ts'
import type { Contestant } from './rounds.ts'

/** Pages that are read stale: more than an isolate remembers, so that each is looked up. */
const pages = 600
/** Items a library needs for that. */
export const itemsForPages = pages + 100
const library = '/api/plex/libraries/1/items'
const rows = 20
const firstPage = `${library}?limit=${rows}`
const agedMs = 31 * 60_000

const isPooled = new RegExp(`:items:1:[1-9]\\d*:${rows}$`)

const Kept = z.looseObject({ storedAt: z.number(), freshUntil: z.number() })

type Pages = {
  readonly plexAlone: Contestant
  readonly ours: { readonly first: FirstPage; readonly contestants: readonly Contestant[] }
}
type FirstPage = { readonly body: string; readonly etag: string }

/** Counts on from run to run: a page that was cold once is not cold again. */
const next = { stale: 0, cold: 0 }

/** A page of a library as Plex itself gives it, and the three ways in which the Worker does. */
export async function pagesOf(
  system: BenchSystem,
  size: Pick<Contestant, 'count' | 'concurrency' | 'perSecond'>,
): Promise<Pages> {
  const { baseUrl, demo, world } = system
  const headers = bearer(demo.admin)
  const was =
    (state: string) =>
    ({ status, headers: answered }: Answer) =>
      status === 200 && answered['x-cache'] === state
  const token = world.plexTv.accounts().find(({ share }) => share?.owner)?.share?.token
  if (token === undefined) throw new Error('nobody owns the server')

  const stale: Contestant = {
    ...size,
    name: 'a page, stale',
    baseUrl,
    call: () => ({ path: `${library}?limit=${rows}&offset=${1 + (next.stale++ % pages)}`, headers }),
    accepts: was('STALE'),
    settled: () => age(system),
  }
  const first = await warm(system, headers)
  return {
    plexAlone: {
      ...size,
      name: 'the same page, fetched from Plex',
      baseUrl: world.plex.url,
      call: (index) => ({
        path: '/library/sections/1/all?type=1&includeCollections=0',
        headers: {
          accept: 'application/json',
          'x-plex-token': token,
          'x-plex-container-start': String(index % pages),
          'x-plex-container-size': String(rows),
        },
      }),
      accepts: ({ status }) => status === 200,
    },
    ours: {
      first,
      contestants: [
        {
          ...size,
          name: 'a page, not modified',
          baseUrl,
          call: () => ({ path: firstPage, headers: { ...headers, 'if-none-match': first.etag } }),
          accepts: ({ status, bytes }) => status === 304 && bytes === 0,
        },
        {
          ...size,
          name: 'a page, cached',
          baseUrl,
          call: () => ({ path: firstPage, headers }),
          accepts: was('HIT'),
        },
        stale,
        {
          ...size,
          name: 'a page, cold',
          baseUrl,
          // No two of them alike, and none like one of those above.
          call: () => {
            const index = next.cold++
            const limit = rows + 1 + Math.floor(index / pages)
            return { path: `${library}?limit=${limit}&offset=${index % pages}`, headers }
          },
          accepts: was('MISS'),
        },
      ],
    },
  }
}

async function warm(system: BenchSystem, headers: Record<string, string>): Promise<FirstPage> {
  const read = async (offset: number): Promise<FirstPage> => {
    const response = await fetch(`${system.baseUrl}${firstPage}&offset=${offset}`, { headers })
    if (response.status !== 200) throw new Error(`a page answers ${response.status}`)
    return { body: await response.text(), etag: response.headers.get('etag') ?? '' }
  }
  for (let offset = 1; offset <= pages; offset += 1) await read(offset)
  const first = await read(0)
  await age(system)
  return first
}

/** Makes all pages but the first as old as if nobody had read them for half an hour. */
async function age({ worker }: BenchSystem): Promise<void> {
  // What is being renewed behind the last answers ends first.
  await sleep(500)
  const kept = await worker.miniflare.getKVNamespace('CACHE')
  for (let cursor: string | undefined, more = true; more;) {
    const list = await kept.list({ prefix: 'answer:', ...(cursor && { cursor }) })
    for (const { name, metadata } of list.keys) {
      const { storedAt, freshUntil, ...rest } = Kept.parse(metadata)
      if (!isPooled.test(name) || freshUntil < Date.now()) continue
      const value = await kept.get(name)
      const older = { ...rest, storedAt: storedAt - agedMs, freshUntil: freshUntil - agedMs }
      if (value !== null) await kept.put(name, value, { metadata: older })
    }
    more = !list.list_complete
    cursor = list.list_complete ? undefined : list.cursor
  }
}
