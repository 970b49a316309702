import * as z from 'zod'

import type { Asked } from '../http/cached-response.ts'
import { rows, text, type Row } from './container.ts'
import {
  contradictions,
  filterQuery,
  filtersIn,
  foldedName,
  genreShown,
  kindFor,
  kindNumber,
  type FilterName,
  type ItemFilters,
} from './item-filters.ts'
import { plexPath, type PlexDependencies } from './ports.ts'
import { itemsOf, unlessGone, type Reading, type Reads } from './reads.ts'
import { RatingKey, type ItemKind, type ItemsQuery } from './schema.ts'

const Genres = z.object({ data: z.array(z.object({ id: z.string(), name: z.string() })) })

/** The items of a library, narrowed by filters that Plex may or may not know. */
export function createItemPages(reads: Reads, { ttl }: Pick<PlexDependencies, 'ttl'>) {
  const genreId = async (asked: Asked, key: string, kind: ItemKind, genre: string) => {
    const { body } = await reads.cached(
      asked,
      `genres:${key}:${kind}`,
      ttl.items,
      async (reading) => {
        const path = plexPath`/library/sections/${key}/genre`
        const container = await reads.ask(reading, { path, query: { type: kindNumber(kind) } })
        return { data: rows(container['Directory']).flatMap(genreOf) }
      },
      key,
    )
    const { data } = Genres.parse(JSON.parse(body))
    return data.find(({ name }) => foldedName(name) === foldedName(genre))?.id
  }

  /** A listing names the first few genres of an item; the item itself names all. */
  const otherGenres = async (reading: Reading, listed: readonly Row[], genre: string) => {
    const doubtful = listed.filter((row) => genreShown(row, genre) === 'no').flatMap(ratingKeyOf)
    if (doubtful.length === 0) return new Set<string>()
    const path = plexPath`/library/metadata/${doubtful.join(',')}`
    const container = await unlessGone(reads.ask(reading, { path }), {})
    const proven = rows(container['Metadata']).filter((row) => genreShown(row, genre) === 'yes')
    const members = new Set(proven.flatMap(ratingKeyOf))
    return new Set(doubtful.filter((key) => !members.has(key)))
  }

  /** How Plex is asked for what is wanted; nothing when there can be none. */
  const questionFor = async (asked: Asked, key: string, query: ItemsQuery, kind: ItemKind | undefined) => {
    const { genre, sort } = query
    const tag = genre !== undefined && kind ? await genreId(asked, key, kind, genre) : undefined
    if (genre !== undefined && tag === undefined) return undefined
    return {
      path: plexPath`/library/sections/${key}/all`,
      query: {
        ...(kind !== 'collection' && { includeCollections: '0' }),
        ...(kind && filterQuery(kind, query, tag)),
        ...(sort !== undefined && { sort }),
      },
    }
  }

  /**
   * Plex answers the whole list when it does not know a filter, and says nothing. So each row is held against what was
   * asked, and one that says otherwise is left out. The total is Plex's own: it counts what the filters left, or, of
   * filters that were ignored, what they would have been applied to; that these were ignored is said beside it.
   */
  const list = async (asked: Asked, reading: Reading, key: string, query: ItemsQuery) => {
    const { offset, limit, genre, type } = query
    const isNarrowed = type !== undefined || filtersIn(query).length > 0
    const kind = isNarrowed ? kindFor((await reads.library(reading, key)).type, query) : undefined
    const question = await questionFor(asked, key, query, kind)
    if (!question) return { data: [], meta: { offset, limit, total: 0 } }
    const page = await reads.page(reading, question, { offset, limit })
    const others = genre === undefined ? new Set<string>() : await otherGenres(reading, page.rows, genre)
    const { kept, ignored } = kind ? held(page.rows, kind, query, others) : { kept: page.rows, ignored: [] }
    return {
      data: itemsOf(kept, reading, page.libraryKey ?? key),
      meta: { offset, limit, total: page.total, ...(ignored.length > 0 && { ignoredFilters: ignored }) },
    }
  }

  return {
    items: (asked: Asked, key: string, query: ItemsQuery) =>
      reads.cached(asked, nameOf(key, query), ttl.items, (reading) => list(asked, reading, key, query), key),
  }
}

function held(
  listed: readonly Row[],
  kind: ItemKind,
  asked: ItemFilters,
  ofOtherGenres: ReadonlySet<string>,
): { readonly kept: readonly Row[]; readonly ignored: readonly (FilterName | 'type')[] } {
  const ignored = new Set<FilterName | 'type'>()
  const kept = listed.filter((row) => {
    const found = [
      ...contradictions(row, kind, asked),
      ...(ratingKeyOf(row).some((key) => ofOtherGenres.has(key)) ? (['genre'] as const) : []),
      ...((text(row['type']) ?? kind) === kind ? [] : (['type'] as const)),
    ]
    for (const name of found) ignored.add(name)
    return found.length === 0
  })
  return { kept, ignored: [...ignored].toSorted() }
}

/** The name of the answer: whatever was asked, in one order. */
function nameOf(key: string, { offset, limit, sort, type, ...filters }: ItemsQuery): string {
  const asked = filtersIn(filters).map((name) => `${name}=${String(filters[name])}`)
  return [
    'items',
    key,
    offset,
    limit,
    ...(type ? [`type=${type}`] : []),
    ...(sort ? [sort] : []),
    ...asked,
  ].join(':')
}

function ratingKeyOf(row: Row): string[] {
  const key = RatingKey.safeParse(text(row['ratingKey']))
  return key.success ? [key.data] : []
}

function genreOf(row: Row): { id: string; name: string }[] {
  const [id, name] = [text(row['key']), text(row['title'])]
  return id && name && /^\d+$/.test(id) ? [{ id, name }] : []
}
