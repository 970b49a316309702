import { Problem } from '#contract/problem.ts'

import type { Asked } from '../http/cached-response.ts'
import { instant, rows, text } from './container.ts'
import { externalIdsOf } from './external-ids.ts'
import { plexPath, type PlexDependencies } from './ports.ts'
import { forEachInTurns, itemsOf, uniqueItems, type Paging, type Reading, type Reads } from './reads.ts'
import type { Library } from './schema.ts'

/** The server, its libraries, and what belongs to one item. */
export function createBrowse(reads: Reads, { ttl, now, machineIdentifier }: PlexDependencies) {
  /** A page of no rows tells how many there are. Not every library will be counted, and that is no reason to show none. */
  const counted = async (reading: Reading, library: Library): Promise<Library> => {
    try {
      const path = plexPath`/library/sections/${library.key}/all`
      const question = { path, query: { includeCollections: '0' } }
      const { total } = await reads.page(reading, question, { offset: 0, limit: 0 })
      return { ...library, count: total }
    } catch (error) {
      if (error instanceof Problem) return library
      throw error
    }
  }

  return {
    server: (asked: Asked) =>
      reads.cached(asked, 'server', ttl.server, async (reading) => {
        const container = await reads.ask(reading, { path: plexPath`/` })
        const [version, platform] = [text(container['version']), text(container['platform'])]
        const updatedAt = instant(container['updatedAt'], now())
        return {
          data: {
            name: text(container['friendlyName']) ?? '',
            machineIdentifier: text(container['machineIdentifier']) ?? machineIdentifier,
            ...(version && { version }),
            ...(platform && { platform }),
            ...(updatedAt && { updatedAt }),
          },
        }
      }),

    libraries: (asked: Asked) =>
      reads.cached(asked, 'libraries', ttl.libraries, async (reading) => {
        const data = await forEachInTurns(await reads.libraries(reading), (library) =>
          counted(reading, library),
        )
        return { data, meta: { count: data.length } }
      }),

    item: (asked: Asked, ratingKey: string) =>
      reads.cached(
        asked,
        `item:${ratingKey}`,
        ttl.items,
        async (reading) => {
          const path = plexPath`/library/metadata/${ratingKey}`
          const container = await reads.ask(reading, { path, query: { includeGuids: '1' } })
          const [row] = rows(container['Metadata'])
          const [item] = row ? itemsOf([row], reading, text(container['librarySectionID'])) : []
          if (!row || !item) throw new Problem('not-found')
          const externalIds = externalIdsOf(row)
          return { data: { ...item, ...(externalIds && { externalIds }) } }
        },
        'own',
      ),

    children: (asked: Asked, ratingKey: string, { offset, limit }: Paging) =>
      reads.cached(
        asked,
        `children:${ratingKey}:${offset}:${limit}`,
        ttl.items,
        async (reading) => {
          const path = plexPath`/library/metadata/${ratingKey}/children`
          const page = await reads.page(reading, { path }, { offset, limit })
          return {
            data: itemsOf(page.rows, reading, page.libraryKey),
            meta: { offset, limit, total: page.total },
          }
        },
        'own',
      ),

    related: (asked: Asked, ratingKey: string, limit: number) =>
      reads.cached(asked, `related:${ratingKey}:${limit}`, ttl.items, async (reading) => {
        const path = plexPath`/library/metadata/${ratingKey}/related`
        const hubs = rows((await reads.ask(reading, { path }))['Hub'])
        const found = hubs.flatMap((hub) =>
          itemsOf(rows(hub['Metadata']), reading, text(hub['librarySectionID'])),
        )
        const others = uniqueItems(found).filter((item) => item.ratingKey !== ratingKey)
        const data = others.slice(0, limit)
        return { data, meta: { count: data.length } }
      }),

    /** What the caller has begun. It changes with each evening before a screen, so it is kept no longer than a search. */
    onDeck: (asked: Asked, limit: number) =>
      reads.cached(asked, `on-deck:${limit}`, ttl.search, async (reading) => {
        const path = plexPath`/library/onDeck`
        const page = await reads.page(reading, { path }, { offset: 0, limit })
        const data = itemsOf(page.rows, reading)
        return { data, meta: { count: data.length } }
      }),
  }
}
