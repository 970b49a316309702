import type { Asked } from '../http/cached-response.ts'
import { integer, type Row } from './container.ts'
import { addedAtMs, dayAfterMs, groupEpisodes, mergeNewest, type Shelf } from './newest.ts'
import { newestType } from './parse.ts'
import { plexPath, type PlexDependencies } from './ports.ts'
import { forEachInTurns, itemsOf, unlessGone, type Reading, type Reads } from './reads.ts'
import type { Library, RecentQuery } from './schema.ts'

const rowsPerCall = 100
/** Of one library, for one page: beyond that the page ends where reading did. */
const mostRows = 300

type Listed = { readonly listed: readonly Row[]; readonly isAll: boolean }

export function createRecentlyAdded(reads: Reads, { ttl }: Pick<PlexDependencies, 'ttl'>) {
  /** The rows of a library that were added before an instant, newest first, until there are enough. */
  const readRows = async (
    reading: Reading,
    { key, type }: Library,
    boundMs: number,
    areEnough: (listed: readonly Row[]) => boolean,
  ): Promise<Listed> => {
    const bound = Math.ceil(boundMs / 1000)
    const query = {
      type: newestType.get(type) ?? '',
      sort: 'addedAt:desc',
      ...(Number.isFinite(bound) && { 'addedAt<<': String(bound) }),
    }
    const path = plexPath`/library/sections/${key}/all`
    const listed: Row[] = []
    for (let received = 0; received < mostRows;) {
      const page = await reads.page(reading, { path, query }, { offset: received, limit: rowsPerCall })
      received += page.rows.length
      // Plex may have ignored the bound.
      const older = page.rows.filter((row) => (integer(row['addedAt']) ?? 0) < bound)
      listed.push(...older.map((row) => ({ librarySectionID: key, ...row })))
      if (page.rows.length === 0 || received >= page.total) return { listed, isAll: true }
      if (areEnough(listed)) break
    }
    return { listed, isAll: false }
  }

  const readShelf = async (
    reading: Reading,
    library: Library,
    limit: number,
    beforeMs: number,
  ): Promise<Shelf> => {
    const { now } = reading.view
    const entriesIn = (listed: readonly Row[]) =>
      groupEpisodes(listed, now).filter(({ atMs }) => atMs < beforeMs)
    const shelfBelow = async (boundMs: number): Promise<Shelf> => {
      const { listed, isAll } = await readRows(
        reading,
        library,
        boundMs,
        (rows) => entriesIn(rows).length > limit,
      )
      const last = listed.at(-1)
      const readToMs = isAll || !last ? Number.NEGATIVE_INFINITY : addedAtMs(last, now)
      return { entries: entriesIn(listed), readToMs }
    }
    // What came earlier on that day says which episodes stood behind a season that was shown already.
    const startMs = library.type === 'show' ? dayAfterMs(beforeMs - 1) : beforeMs
    const shelf = await shelfBelow(startMs)
    // Of a day on which a great deal came that is too much to read: a season may come up again.
    const isBuried = shelf.entries.length === 0 && Number.isFinite(shelf.readToMs) && startMs > beforeMs
    return isBuried ? shelfBelow(beforeMs) : shelf
  }

  return {
    recentlyAdded: (asked: Asked, { limit, library, before }: RecentQuery) =>
      reads.cached(
        asked,
        `recently-added:${limit}:${library ?? ''}:${before ?? ''}`,
        ttl.recentlyAdded,
        async (reading) => {
          const libraries =
            library === undefined ? await reads.libraries(reading) : [await reads.library(reading, library)]
          const shelves = await forEachInTurns(
            libraries.filter(({ type }) => newestType.has(type)),
            (one) =>
              unlessGone(
                readShelf(
                  reading,
                  one,
                  limit,
                  before === undefined ? Number.POSITIVE_INFINITY : Date.parse(before),
                ),
                { entries: [], readToMs: Number.NEGATIVE_INFINITY },
              ),
          )
          const { entries, beforeMs } = mergeNewest(shelves, limit)
          const data = entries.flatMap(({ row, episodes }) =>
            itemsOf([row], reading).map((item) => ({ ...item, ...(episodes !== undefined && { episodes }) })),
          )
          const next = beforeMs === undefined ? {} : { before: new Date(beforeMs).toISOString() }
          return { data, meta: { count: data.length, ...next } }
        },
        library,
      ),
  }
}
