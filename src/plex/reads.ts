import { Problem } from '#contract/problem.ts'

import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { Caller } from '../http/env.ts'
import { isRow, rows, text, total, type Row } from './container.ts'
import { parseItem, parseLibraries, type View } from './parse.ts'
import { plexPath, type PlexDependencies, type PlexQuestion } from './ports.ts'
import { LibraryKey, RatingKey, type Item, type Library } from './schema.ts'

export type Reads = ReturnType<typeof createReads>

export type Paging = { readonly offset: number; readonly limit: number }

/** Whose question it is, and what they may see of the answer. */
export type Reading = { readonly caller: Caller; readonly view: View }

export type RowPage = {
  readonly rows: readonly Row[]
  readonly total: number
  /** The library the whole page is of, where PMS says so. */
  readonly libraryKey?: string
}

/** A Worker may have six connections open at once; one is left for everything else. */
const fanOut = 5

/** How every part of the gateway asks PMS: through the cache, as the caller, and page by page. */
export function createReads({
  reader,
  cache,
  images,
  now,
  machineIdentifier,
}: Pick<PlexDependencies, 'reader' | 'cache' | 'images' | 'now' | 'machineIdentifier'>) {
  const ask = async ({ caller }: Reading, question: PlexQuestion): Promise<Row> =>
    (await reader.read(caller.userId, question)).container

  const libraries = async (reading: Reading): Promise<Library[]> =>
    parseLibraries(await ask(reading, { path: plexPath`/library/sections` }), reading.view)

  return {
    ask,
    libraries,

    cached: (
      { caller, background }: Asked,
      name: string,
      ttlMs: number,
      load: (reading: Reading) => Promise<unknown>,
      /** A library's key; `own` is the one that the answer names. */
      changesWith = 'any',
    ): Promise<CachedAnswer> =>
      cache.read({
        // An admin's answer has paths in it, so the role is part of whose answer it is.
        scope: `${caller.scope}.${caller.role}`,
        name,
        ttlMs,
        background,
        ...(changesWith === 'own' ? { changesWith: 'any', narrowed: libraryOf } : { changesWith }),
        ...(caller.changed !== undefined && { since: caller.changed }),
        load: async () => {
          const view = { now: now(), paths: caller.role === 'admin', machineIdentifier }
          return images.sign(caller.scope, await load({ caller, view }))
        },
      }),

    /** A library of the caller's, or `not-found`. */
    async library(reading: Reading, key: string): Promise<Library> {
      const library = (await libraries(reading)).find((one) => one.key === key)
      if (!library) throw new Problem('not-found')
      return library
    },

    async page({ caller }: Reading, question: PlexQuestion, page: Paging): Promise<RowPage> {
      const { container, totalSizeHeader } = await reader.read(caller.userId, { ...question, page })
      const received = rows(container['Metadata'])
      const named = LibraryKey.safeParse(String(container['librarySectionID']))
      const from = named.success ? { libraryKey: named.data } : {}
      if (received.length > page.limit) {
        // On the way the paging headers were dropped, and PMS has answered everything.
        const cut = received.slice(page.offset, page.offset + page.limit)
        return { rows: cut, total: received.length, ...from }
      }
      const all = total(container, totalSizeHeader, page.offset, received.length)
      return { rows: received, total: all, ...from }
    },
  }
}

/** The library that all of an answer's data is in; undefined when there are several, or none is named. */
function libraryOf(value: unknown): string | undefined {
  const data = isRow(value) ? value['data'] : undefined
  const keys = new Set(rows(data).map((row) => text(row['libraryKey'])))
  const [key] = keys
  return keys.size === 1 ? key : undefined
}

/** Items among the rows. Hubs show what is elsewhere on the net as well, and its keys are not of this server. */
export function itemsOf(given: readonly Row[], { view }: Reading, libraryKey?: string): Item[] {
  return given.flatMap((row) => {
    const item = parseItem(row, view, libraryKey)
    return item && RatingKey.safeParse(item.ratingKey).success ? item : []
  })
}

/** Each item once, where it comes first. */
export function uniqueItems(items: readonly Item[]): Item[] {
  const seen = new Set<string>()
  return items.filter(({ ratingKey }) => seen.size < seen.add(ratingKey).size)
}

/** Does it for each, so many at a time as a Worker may have connections. */
export async function forEachInTurns<T, R>(
  values: readonly T[],
  run: (value: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < values.length; start += fanOut) {
    results.push(...(await Promise.all(values.slice(start, start + fanOut).map(run))))
  }
  return results
}

/** What was there a moment ago may have been taken away since. */
export async function unlessGone<T>(answer: Promise<T>, instead: T): Promise<T> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Problem && error.code === 'not-found') return instead
    throw error
  }
}
