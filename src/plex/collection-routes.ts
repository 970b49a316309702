import { cachedResponse } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { opaque, operation } from '../http/operation.ts'
import {
  AddToCollection,
  CollectionBody,
  CollectionChangeBody,
  CollectionItemParam,
  CollectionItemsBody,
  CollectionParam,
  CollectionsBody,
  CollectionTitleParam,
  CreateCollection,
  PutCollection,
  RenameCollection,
} from './collection-schema.ts'
import type { Collections } from './collections.ts'
import { plexProblems } from './problems.ts'
import { LibraryParam, NoQuery, Page } from './schema.ts'

const readProblems = [...plexProblems, 'not-found'] as const
const writeProblems = [...readProblems, 'collection-busy'] as const

const listCollections = operation({
  id: 'listCollections',
  method: 'get',
  path: '/libraries/:key/collections',
  summary: 'The collections of a library, in pages',
  access: 'user',
  limit: 'plex',
  request: { param: LibraryParam, query: Page },
  responses: { 200: CollectionsBody, 304: 'empty' },
  problems: readProblems,
})

const readCollection = operation({
  id: 'readCollection',
  method: 'get',
  path: '/collections/:ratingKey',
  summary: 'One collection',
  access: 'user',
  limit: 'plex',
  request: { param: CollectionParam, query: NoQuery },
  responses: { 200: CollectionBody, 304: 'empty' },
  problems: readProblems,
})

const listCollectionItems = operation({
  id: 'listCollectionItems',
  method: 'get',
  path: '/collections/:ratingKey/items',
  summary: 'What is in a collection, in pages',
  access: 'user',
  limit: 'plex',
  request: { param: CollectionParam, query: Page },
  responses: { 200: CollectionItemsBody, 304: 'empty' },
  problems: readProblems,
})

const createCollection = operation({
  id: 'createCollection',
  method: 'post',
  path: '/collections',
  summary: 'Make a collection, or add to the one that has this title already',
  access: 'admin',
  limit: 'plex',
  request: { json: CreateCollection },
  responses: { 200: CollectionChangeBody, 201: CollectionChangeBody },
  problems: [...writeProblems, 'collection-is-smart'],
})

const putCollection = operation({
  id: 'putCollection',
  method: 'put',
  path: '/libraries/:key/collections/by-title/:title',
  summary: 'Bring the collection of this title to hold these items, in as few steps as it takes',
  access: 'admin',
  limit: 'plex',
  request: { param: CollectionTitleParam, json: PutCollection },
  responses: { 200: CollectionChangeBody, 201: CollectionChangeBody },
  problems: [...writeProblems, 'collection-is-smart'],
})

const renameCollection = operation({
  id: 'renameCollection',
  method: 'put',
  path: '/collections/:ratingKey',
  summary: 'Give a collection another title',
  access: 'admin',
  limit: 'plex',
  request: { param: CollectionParam, json: RenameCollection },
  responses: { 200: CollectionChangeBody },
  problems: [...writeProblems, 'collection-title-taken'],
})

const deleteCollection = operation({
  id: 'deleteCollection',
  method: 'delete',
  path: '/collections/:ratingKey',
  summary: 'Delete a collection; its items stay in the library',
  access: 'admin',
  limit: 'plex',
  request: { param: CollectionParam },
  responses: { 204: 'empty' },
  problems: writeProblems,
})

const addToCollection = operation({
  id: 'addToCollection',
  method: 'put',
  path: '/collections/:ratingKey/items',
  summary: 'Add items to a collection',
  access: 'admin',
  limit: 'plex',
  request: { param: CollectionParam, json: AddToCollection },
  responses: { 200: CollectionChangeBody },
  problems: [...writeProblems, 'collection-is-smart'],
})

const removeFromCollection = operation({
  id: 'removeFromCollection',
  method: 'delete',
  path: '/collections/:ratingKey/items/:itemKey',
  summary: 'Take an item out of a collection; with its last item Plex deletes the collection',
  access: 'admin',
  limit: 'plex',
  request: { param: CollectionItemParam },
  responses: { 200: CollectionChangeBody },
  problems: [...writeProblems, 'collection-is-smart'],
})

export const collections = (service: Collections): Feature =>
  feature('/plex', (on) => {
    on(listCollections, async ({ c, param, query, ...asked }) =>
      cachedResponse(c, await service.list(asked, param.key, query)),
    )
    on(readCollection, async ({ c, param, ...asked }) =>
      cachedResponse(c, await service.read(asked, param.ratingKey)),
    )
    on(listCollectionItems, async ({ c, param, query, ...asked }) =>
      cachedResponse(c, await service.items(asked, param.ratingKey, query)),
    )
    on(createCollection, async ({ c, json, ...asked }) => {
      const data = await service.create(asked, json, json.items)
      return c.json({ data }, data.created ? 201 : 200)
    })
    on(putCollection, async ({ c, param, json, ...asked }) => {
      const data = await service.put(asked, { libraryKey: param.key, title: param.title }, json)
      return c.json({ data }, data.created && !json.dryRun ? 201 : 200)
    })
    on(renameCollection, async ({ c, param, json, ...asked }) =>
      c.json({ data: await service.rename(asked, param.ratingKey, json.title) }, 200),
    )
    on(deleteCollection, async ({ c, param, ...asked }) => {
      await service.delete(asked, param.ratingKey)
      return opaque(c.body(null, 204))
    })
    on(addToCollection, async ({ c, param, json, ...asked }) =>
      c.json({ data: await service.add(asked, param.ratingKey, json.items) }, 200),
    )
    on(removeFromCollection, async ({ c, param, ...asked }) =>
      c.json({ data: await service.remove(asked, param.ratingKey, param.itemKey) }, 200),
    )
  })
