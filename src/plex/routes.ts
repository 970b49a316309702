import { cachedResponse } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { plexProblems } from './problems.ts'
import {
  ChildrenBody,
  HealthBody,
  ItemBody,
  ItemParam,
  ItemsBody,
  ItemsQuery,
  LibrariesBody,
  LibraryParam,
  Limit,
  ListBody,
  NoQuery,
  Page,
  RecentBody,
  RecentQuery,
  ServerBody,
} from './schema.ts'
import { SearchBody, SearchQuery } from './search-schema.ts'
import type { Plex } from './service.ts'

const readHealth = operation({
  id: 'readPlexHealth',
  method: 'get',
  path: '/health',
  summary: 'Does Plex answer?',
  access: 'optional',
  request: { query: NoQuery },
  responses: { 200: HealthBody },
})

const readServer = operation({
  id: 'readServer',
  method: 'get',
  path: '/server',
  summary: 'The Plex server',
  access: 'user',
  limit: 'plex',
  request: { query: NoQuery },
  responses: { 200: ServerBody, 304: 'empty' },
  problems: plexProblems,
})

const listLibraries = operation({
  id: 'listLibraries',
  method: 'get',
  path: '/libraries',
  summary: 'The libraries the caller may see',
  access: 'user',
  limit: 'plex',
  request: { query: NoQuery },
  responses: { 200: LibrariesBody, 304: 'empty' },
  problems: plexProblems,
})

const listItems = operation({
  id: 'listItems',
  method: 'get',
  path: '/libraries/:key/items',
  summary: 'What is in a library, in pages, narrowed and sorted as asked',
  access: 'user',
  limit: 'plex',
  request: { param: LibraryParam, query: ItemsQuery },
  responses: { 200: ItemsBody, 304: 'empty' },
  problems: [...plexProblems, 'not-found'],
})

const readItem = operation({
  id: 'readItem',
  method: 'get',
  path: '/items/:ratingKey',
  summary: 'One film, show, season, episode or video',
  access: 'user',
  limit: 'plex',
  request: { param: ItemParam, query: NoQuery },
  responses: { 200: ItemBody, 304: 'empty' },
  problems: [...plexProblems, 'not-found'],
})

const listChildren = operation({
  id: 'listChildren',
  method: 'get',
  path: '/items/:ratingKey/children',
  summary: 'The seasons of a show, the episodes of a season',
  access: 'user',
  limit: 'plex',
  request: { param: ItemParam, query: Page },
  responses: { 200: ChildrenBody, 304: 'empty' },
  problems: [...plexProblems, 'not-found'],
})

const listRelated = operation({
  id: 'listRelated',
  method: 'get',
  path: '/items/:ratingKey/related',
  summary: 'What is like an item',
  access: 'user',
  limit: 'plex',
  request: { param: ItemParam, query: Limit },
  responses: { 200: ListBody, 304: 'empty' },
  problems: [...plexProblems, 'not-found'],
})

const listOnDeck = operation({
  id: 'listOnDeck',
  method: 'get',
  path: '/on-deck',
  summary: 'What the caller has begun to watch',
  access: 'user',
  limit: 'plex',
  request: { query: Limit },
  responses: { 200: ListBody, 304: 'empty' },
  problems: plexProblems,
})

const search = operation({
  id: 'search',
  method: 'get',
  path: '/search',
  summary: 'Search all libraries the caller may see',
  access: 'user',
  limit: 'plex',
  request: { query: SearchQuery },
  responses: { 200: SearchBody, 304: 'empty' },
  problems: [...plexProblems, 'not-found'],
})

const listRecentlyAdded = operation({
  id: 'listRecentlyAdded',
  method: 'get',
  path: '/recently-added',
  summary: 'What is new, across libraries',
  access: 'user',
  limit: 'plex',
  request: { query: RecentQuery },
  responses: { 200: RecentBody, 304: 'empty' },
  problems: [...plexProblems, 'not-found'],
})

export const plex = (service: Plex): Feature =>
  feature('/plex', (on) => {
    on(readHealth, async ({ c, caller }) => {
      const isAdmin = caller?.role === 'admin'
      const [{ status, cause, latencyMs }, cache] = await Promise.all([
        service.health(),
        isAdmin ? service.hitRatio() : undefined,
      ])
      const details = {
        ...(caller && latencyMs !== undefined && { latencyMs }),
        ...(isAdmin && cause && { cause }),
        ...(cache && { cache }),
      }
      return c.json({ data: { status, ...details } }, 200)
    })
    on(readServer, async ({ c, ...asked }) => cachedResponse(c, await service.server(asked)))
    on(listLibraries, async ({ c, ...asked }) => cachedResponse(c, await service.libraries(asked)))
    on(listItems, async ({ c, param, query, ...asked }) =>
      cachedResponse(c, await service.items(asked, param.key, query)),
    )
    on(readItem, async ({ c, param, ...asked }) =>
      cachedResponse(c, await service.item(asked, param.ratingKey)),
    )
    on(listChildren, async ({ c, param, query, ...asked }) =>
      cachedResponse(c, await service.children(asked, param.ratingKey, query)),
    )
    on(listRelated, async ({ c, param, query, ...asked }) =>
      cachedResponse(c, await service.related(asked, param.ratingKey, query.limit)),
    )
    on(listOnDeck, async ({ c, query, ...asked }) =>
      cachedResponse(c, await service.onDeck(asked, query.limit)),
    )
    on(search, async ({ c, query, ...asked }) => cachedResponse(c, await service.search(asked, query)))
    on(listRecentlyAdded, async ({ c, query, ...asked }) =>
      cachedResponse(c, await service.recentlyAdded(asked, query)),
    )
  })
