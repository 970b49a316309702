import type { Asked } from '../http/cached-response.ts'
import { rows } from './container.ts'
import { plexPath, type PlexDependencies } from './ports.ts'
import { itemsOf, uniqueItems, type Reads } from './reads.ts'
import { countBy, mergeGenres, mergePeople, rankedRows } from './search-results.ts'
import type { SearchQuery } from './search-schema.ts'

/** Of each hub, always as many, so that every page is cut from the same list. */
const perHub = 100
const peopleShown = 20

export function createSearch(reads: Reads, { ttl }: Pick<PlexDependencies, 'ttl'>) {
  return {
    search: (asked: Asked, { query, offset, limit, library, type }: SearchQuery) =>
      reads.cached(
        asked,
        `search:${library ?? ''}:${type ?? ''}:${offset}:${limit}:${query}`,
        ttl.search,
        async (reading) => {
          // PMS refuses a library it does not know, in HTML; and to whom it is not shared, it is not there.
          if (library !== undefined) await reads.library(reading, library)
          const container = await reads.ask(reading, {
            path: plexPath`/hubs/search`,
            query: {
              query,
              limit: String(perHub),
              includeCollections: '1',
              // Only puts this library's rows first, so that others do not crowd them out.
              ...(library !== undefined && { sectionId: library }),
            },
          })
          const hubs = rows(container['Hub'])
          const items = uniqueItems(itemsOf(rankedRows(hubs, library), reading))
          const ofType = items.filter((item) => type === undefined || item.type === type)
          const [people, tags] = [mergePeople(hubs, library), mergeGenres(hubs, library)]
          return {
            data: ofType.slice(offset, offset + limit),
            people: people.slice(0, peopleShown),
            tags: tags.slice(0, peopleShown),
            meta: {
              query,
              offset,
              limit,
              total: ofType.length,
              groups: countBy([
                ...items.map((item) => item.type),
                ...people.map(() => 'person'),
                ...tags.map(() => 'genre'),
              ]),
            },
          }
        },
        library,
      ),
  }
}
