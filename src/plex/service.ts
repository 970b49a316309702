import { Problem } from '#contract/problem.ts'

import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { Caller } from '../http/env.ts'
import { decimal, instant, rows, text, total } from './container.ts'
import { newestType, parseItem, parseItems, parseLibraries, type View } from './parse.ts'
import { plexPath, type PlexDependencies } from './ports.ts'
import { LibrariesBody, type Item, type Library } from './schema.ts'

export type Plex = ReturnType<typeof createPlex>

type Paging = { readonly offset: number; readonly limit: number }

/** Hubs whose rows are items of a library; the others hold tags and people. */
const itemHubs = new Set(['movie', 'show', 'season', 'episode', 'artist', 'album', 'track', 'photo', 'clip'])
/** A Worker may have six connections open at once; one is left for everything else. */
const fanOut = 5

export function createPlex(dependencies: PlexDependencies) {
  const { reader, cache, ttl, now, machineIdentifier } = dependencies
  const viewOf = (caller: Caller): View => ({ now: now(), paths: caller.role === 'admin', machineIdentifier })

  const cached = (
    { caller, background }: Asked,
    name: string,
    ttlMs: number,
    load: (view: View) => Promise<unknown>,
    changesWith = 'any',
  ): Promise<CachedAnswer> =>
    cache.read({
      // An admin's answer has paths in it, so the role is part of whose answer it is.
      scope: `${caller.scope}.${caller.role}`,
      name,
      ttlMs,
      background,
      changesWith,
      load: async () => dependencies.images.sign(caller.scope, await load(viewOf(caller))),
    })

  const readLibraries = async (caller: Caller, view: View): Promise<Library[]> => {
    const { container } = await reader.read(caller.userId, { path: plexPath`/library/sections` })
    return parseLibraries(container, view)
  }

  const readPage = async (
    caller: Caller,
    view: View,
    question: { path: ReturnType<typeof plexPath>; query?: Record<string, string> },
    page: Paging,
  ) => {
    const { container, totalSizeHeader } = await reader.read(caller.userId, { ...question, page })
    const received = parseItems(container, view)
    if (received.length > page.limit) {
      // On the way the paging headers were dropped, and PMS has answered everything.
      const data = received.slice(page.offset, page.offset + page.limit)
      return { data, meta: { ...page, total: received.length } }
    }
    const all = total(container, totalSizeHeader, page.offset, received.length)
    return { data: received, meta: { ...page, total: all } }
  }

  const newestOf = async (caller: Caller, view: View, { key, type }: Library, limit: number) => {
    const number = newestType.get(type)
    if (number === undefined) return []
    const query = { type: number, sort: 'addedAt:desc' }
    try {
      const path = plexPath`/library/sections/${key}/all`
      return (await readPage(caller, view, { path, query }, { offset: 0, limit })).data
    } catch (error) {
      // Taken away since the libraries were listed.
      if (error instanceof Problem && error.code === 'not-found') return []
      throw error
    }
  }

  return {
    server: (asked: Asked) =>
      cached(asked, 'server', ttl.server, async () => {
        const { container } = await reader.read(asked.caller.userId, { path: plexPath`/` })
        const [name, version, platform] = ['friendlyName', 'version', 'platform'].map((key) =>
          text(container[key]),
        )
        const updatedAt = instant(container['updatedAt'], now())
        return {
          data: {
            name: name ?? '',
            machineIdentifier: text(container['machineIdentifier']) ?? machineIdentifier,
            ...(version && { version }),
            ...(platform && { platform }),
            ...(updatedAt && { updatedAt }),
          },
        }
      }),

    libraries: (asked: Asked) =>
      cached(asked, 'libraries', ttl.libraries, async (view) => {
        const data = await readLibraries(asked.caller, view)
        return { data, meta: { count: data.length } }
      }),

    items: (asked: Asked, key: string, page: Paging) =>
      cached(
        asked,
        `items:${key}:${page.offset}:${page.limit}`,
        ttl.items,
        (view) =>
          readPage(
            asked.caller,
            view,
            { path: plexPath`/library/sections/${key}/all`, query: { includeCollections: '0' } },
            page,
          ),
        key,
      ),

    item: (asked: Asked, ratingKey: string) =>
      cached(asked, `item:${ratingKey}`, ttl.items, async (view) => {
        const { container } = await reader.read(asked.caller.userId, {
          path: plexPath`/library/metadata/${ratingKey}`,
        })
        const [row] = rows(container['Metadata'])
        const item = row && parseItem(row, view, text(container['librarySectionID']))
        if (!item) throw new Problem('not-found')
        return { data: item }
      }),

    children: (asked: Asked, ratingKey: string, page: Paging) =>
      cached(asked, `children:${ratingKey}:${page.offset}:${page.limit}`, ttl.items, (view) =>
        readPage(asked.caller, view, { path: plexPath`/library/metadata/${ratingKey}/children` }, page),
      ),

    search: (asked: Asked, query: string, limit: number) =>
      cached(asked, `search:${limit}:${query}`, ttl.search, async (view) => {
        const { container } = await reader.read(asked.caller.userId, {
          path: plexPath`/hubs/search`,
          query: { query, limit: String(limit) },
        })
        const found = rows(container['Hub'])
          .filter((hub) => itemHubs.has(text(hub['type']) ?? ''))
          .flatMap((hub) => rows(hub['Metadata']))
          // Hubs are ranked each for itself; the scores of their rows compare across them.
          .toSorted((a, b) => (decimal(b['score']) ?? 0) - (decimal(a['score']) ?? 0))
          .flatMap((row) => parseItem(row, view) ?? [])
        const data = unique(found).slice(0, limit)
        return { data, meta: { query, count: data.length } }
      }),

    recentlyAdded: (asked: Asked, limit: number) =>
      cached(asked, `recently-added:${limit}`, ttl.recentlyAdded, async (view) => {
        const libraries = await readLibraries(asked.caller, view)
        const newest = await inTurns(libraries, fanOut, (library) =>
          newestOf(asked.caller, view, library, limit),
        )
        const data = newest
          .flat()
          .toSorted(
            (a, b) =>
              (b.addedAt ?? '').localeCompare(a.addedAt ?? '') || a.ratingKey.localeCompare(b.ratingKey),
          )
          .slice(0, limit)
        return { data, meta: { count: data.length } }
      }),

    /** Which libraries the caller may see, from the same answer as `libraries`. */
    async libraryKeys(asked: Asked): Promise<readonly string[]> {
      const { body } = await this.libraries(asked)
      return LibrariesBody.parse(JSON.parse(body)).data.map(({ key }) => key)
    },

    health: dependencies.probe,
  }
}

function unique(items: readonly Item[]): Item[] {
  return [...new Map(items.map((item) => [item.ratingKey, item])).values()]
}

async function inTurns<T, R>(
  values: readonly T[],
  width: number,
  run: (value: T) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < values.length; start += width) {
    results.push(...(await Promise.all(values.slice(start, start + width).map(run))))
  }
  return results
}
