import { Problem } from '#contract/problem.ts'

import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { Caller } from '../http/env.ts'
import { instant, rows, text, total } from './container.ts'
import { holds } from './location.ts'
import { parseItem, parseItems, parseLibraries, type View } from './parse.ts'
import { plexPath, type PlexDependencies } from './ports.ts'
import type { Item, Library } from './schema.ts'

export type Plex = ReturnType<typeof createPlex>

type Paging = { readonly offset: number; readonly limit: number }

/** Hubs whose rows are items of a library; the others hold tags and people. */
const itemHubs = new Set(['movie', 'show', 'season', 'episode', 'artist', 'album', 'track', 'photo', 'clip'])
/** Plex's number for what a library of this type gets new: an episode, not the show it belongs to. */
const newestType: Readonly<Record<string, string>> = { movie: '1', show: '4', artist: '9', photo: '13' }
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
      load: () => load(viewOf(caller)),
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
    const data = parseItems(container, view)
    return { data, meta: { ...page, total: total(container, totalSizeHeader, page.offset, data.length) } }
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
      cached(asked, `search:${limit}:${query.normalize('NFC').toLowerCase()}`, ttl.search, async (view) => {
        const { container } = await reader.read(asked.caller.userId, {
          path: plexPath`/hubs/search`,
          query: { query, limit: String(limit) },
        })
        const found = rows(container['Hub'])
          .filter((hub) => itemHubs.has(text(hub['type']) ?? ''))
          .flatMap((hub) => rows(hub['Metadata']))
          .flatMap((row) => parseItem(row, view) ?? [])
        const data = unique(found).slice(0, limit)
        return { data, meta: { query, count: data.length } }
      }),

    recentlyAdded: (asked: Asked, limit: number) =>
      cached(asked, `recently-added:${limit}`, ttl.recentlyAdded, async (view) => {
        const libraries = (await readLibraries(asked.caller, view)).filter(({ type }) => type in newestType)
        const pages = await inTurns(libraries, fanOut, ({ key, type }) =>
          readPage(
            asked.caller,
            view,
            {
              path: plexPath`/library/sections/${key}/all`,
              query: { type: newestType[type] ?? '1', sort: 'addedAt:desc' },
            },
            { offset: 0, limit },
          ),
        )
        const data = pages
          .flatMap((page) => page.data)
          .toSorted(
            (a, b) =>
              (b.addedAt ?? '').localeCompare(a.addedAt ?? '') || a.ratingKey.localeCompare(b.ratingKey),
          )
          .slice(0, limit)
        return { data, meta: { count: data.length } }
      }),

    /** Asks for a scan; many requests for one folder become one. The folder must lie inside the library. */
    async refresh({ caller }: Asked, libraryKey: string, path: string | undefined): Promise<void> {
      const libraries = await readLibraries(caller, { ...viewOf(caller), paths: true })
      const library = libraries.find(({ key }) => key === libraryKey)
      if (!library) throw new Problem('not-found')
      if (path !== undefined && !library.locations?.some((location) => holds(location, path))) {
        throw new Problem('invalid-request', {
          members: { errors: [{ pointer: 'json#/path', detail: 'must be a folder inside this library' }] },
        })
      }
      await dependencies.scans.request({
        libraryKey,
        userId: caller.userId,
        ...(path !== undefined && { path }),
      })
      await dependencies.audit({ actor: caller.userId, action: 'plex.refresh', target: libraryKey })
    },

    /** Which libraries the caller may see, from the same answer as `libraries`. */
    async libraryKeys(asked: Asked): Promise<readonly string[]> {
      const { body } = await this.libraries(asked)
      const { data } = JSON.parse(body) as { data: Library[] }
      return data.map(({ key }) => key)
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
