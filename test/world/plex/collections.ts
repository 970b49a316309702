import { sendContainer, sendDone, sendError } from './answers.ts'
import { collectionRow } from './collection-rows.ts'
import type { Collection } from './collection-store.ts'
import { kindOf } from './listing.ts'
import { pageOf } from './paging.ts'
import { sectionContainer, sendPage } from './sections.ts'
import { rowFor, visibleItem, visibleSection, type Call, type Route } from './world.ts'

const one = String.raw`\/library\/collections\/([^/]+)`
const route = (path: string) => new RegExp(`^${path}$`)

export const collectionRoutes: readonly Route[] = [
  { method: 'GET', pattern: /^\/library\/sections\/([^/]+)\/collections$/, handle: listCollections },
  { method: 'POST', pattern: /^\/library\/collections$/, handle: createCollection },
  { method: 'GET', pattern: route(one), handle: withCollection(showCollection) },
  { method: 'GET', pattern: route(`${one}/(?:items|children)`), handle: showCollectionItems },
  { method: 'PUT', pattern: route(`${one}/items`), ownerOnly: true, handle: withCollection(addItems) },
  {
    method: 'PUT',
    pattern: route(`${one}/items/([^/]+)/move`),
    ownerOnly: true,
    handle: withCollection(moveItem),
  },
  // The documents say PUT, the clients DELETE.
  {
    method: 'PUT',
    pattern: route(`${one}/items/([^/]+)`),
    ownerOnly: true,
    handle: withCollection(removeItem),
  },
  {
    method: 'DELETE',
    pattern: route(`${one}/items/([^/]+)`),
    ownerOnly: true,
    handle: withCollection(removeItem),
  },
  { method: 'PUT', pattern: route(`${one}/prefs`), ownerOnly: true, handle: withCollection(setPreferences) },
  { method: 'DELETE', pattern: route(one), ownerOnly: true, handle: withCollection(deleteCollection) },
  {
    method: 'DELETE',
    pattern: /^\/library\/sections\/[^/]+\/collection\/([^/]+)$/,
    ownerOnly: true,
    handle: withCollection(deleteCollection),
  },
  { method: 'PUT', pattern: /^\/library\/sections\/[^/]+\/all$/, ownerOnly: true, handle: renameCollection },
]

export function visibleCollection(
  { world, viewer }: Call,
  ratingKey: string | undefined,
): Collection | undefined {
  const collection = ratingKey === undefined ? undefined : world.collections.find(ratingKey)
  return collection && viewer.sees(collection.sectionKey) ? collection : undefined
}

function withCollection(handle: (call: Call, collection: Collection) => void): Route['handle'] {
  return (call) => {
    const collection = visibleCollection(call, call.params[0])
    if (collection) handle(call, collection)
    else sendError(call.exchange, 404)
  }
}

function listCollections(call: Call): void {
  const { exchange, params, world } = call
  const section = visibleSection(call, params[0])
  if (!section) return sendError(exchange, 404)
  const page = pageOf(exchange, world.collections.list(section.key), world.pageCap)
  sendPage(call, page, sectionContainer(section), (collection) => collectionRow(world, collection))
}

function showCollection({ exchange, world }: Call, collection: Collection): void {
  sendContainer(exchange, { size: 1, allowSync: false, Metadata: [collectionRow(world, collection, true)] })
}

export function showCollectionItems(call: Call): void {
  const { exchange, params, world } = call
  const collection = visibleCollection(call, params[0])
  if (!collection) return sendError(exchange, 404)
  const page = pageOf(exchange, world.collections.items(collection), world.pageCap)
  sendPage(call, page, { allowSync: false, title1: collection.title }, (item) => rowFor(call, item))
}

/** `type` names the kind of its items; the same title again adds to the collection that has it. */
function createCollection(call: Call): void {
  const { exchange, query, world } = call
  const section = visibleSection(call, query.get('sectionId') ?? undefined)
  const subtype = kindOf(query.get('type'))
  const title = query.get('title')
  const uri = parseUri(call, query.get('uri'))
  if (!section || !subtype || !title || !uri) return sendError(exchange, 400)
  const smart = ['1', 'true'].includes(query.get('smart') ?? '')
  if (smart !== (uri.smart !== undefined)) return sendError(exchange, 400)
  const itemKeys = uri.keys.filter((key) => fits(call, key, { sectionKey: section.key, subtype }))
  if (!smart && (itemKeys.length === 0 || itemKeys.length < uri.keys.length)) return sendError(exchange, 400)
  const known = world.collections.titled(section.key, title)
  if (known && (known.subtype !== subtype || known.smart)) return sendError(exchange, 400)
  const created = world.collections.create({
    sectionKey: section.key,
    title,
    subtype,
    itemKeys,
    ...(uri.smart ? { smart: uri.smart } : {}),
  })
  sendContainer(exchange, { size: 1, allowSync: true, Metadata: [collectionRow(world, created, true)] })
}

function fits(
  call: Call,
  key: string,
  { sectionKey, subtype }: Pick<Collection, 'sectionKey' | 'subtype'>,
): boolean {
  const item = visibleItem(call, key)
  return item?.sectionKey === sectionKey && item.kind === subtype
}

type Uri = { readonly keys: readonly string[]; readonly smart?: URLSearchParams }

/** `server://{machine}/com.plexapp.plugins.library/library/metadata/{keys}`, or a query over a section. */
function parseUri({ world }: Call, uri: string | null): Uri | undefined {
  const root = `server://${world.machineIdentifier}/com.plexapp.plugins.library/library/`
  if (!uri?.startsWith(root)) return undefined
  const rest = uri.slice(root.length)
  const keys = /^metadata\/([\d,]+)$/.exec(rest)?.[1]
  if (keys) return { keys: keys.split(',').filter(Boolean) }
  const smart = /^sections\/\d+\/all\?(.*)$/.exec(rest)?.[1]
  return smart === undefined ? undefined : { keys: [], smart: new URLSearchParams(smart) }
}

function addItems(call: Call, collection: Collection): void {
  const { exchange, query, world } = call
  const uri = parseUri(call, query.get('uri'))
  const allFit = uri?.keys.every((key) => fits(call, key, collection)) ?? false
  if (!uri || uri.keys.length === 0 || !allFit || collection.smart) return sendError(exchange, 400)
  world.collections.add(collection, uri.keys)
  showCollection(call, collection)
}

function removeItem(call: Call, collection: Collection): void {
  const { exchange, params, world } = call
  const kept = collection.itemKeys.filter((key) => key !== params[1])
  if (kept.length === collection.itemKeys.length) return sendError(exchange, 404)
  world.collections.change(collection, kept)
  showCollection(call, collection)
}

function moveItem(call: Call, collection: Collection): void {
  const { exchange, params, query, world } = call
  const [, moved = ''] = params
  if (!collection.itemKeys.includes(moved)) return sendError(exchange, 404)
  const rest = collection.itemKeys.filter((key) => key !== moved)
  const after = query.get('after')
  const at = after === null ? 0 : rest.indexOf(after) + 1
  world.collections.change(collection, rest.toSpliced(at, 0, moved))
  showCollection(call, collection)
}

function setPreferences({ exchange, query }: Call, collection: Collection): void {
  collection.mode = query.get('collectionMode') ?? collection.mode
  collection.sort = query.get('collectionSort') ?? collection.sort
  sendDone(exchange)
}

function deleteCollection({ exchange, world }: Call, collection: Collection): void {
  world.collections.delete(collection)
  sendDone(exchange)
}

/** Renames by `title.value`; a title that is taken is a conflict. */
export function renameCollection(call: Call): void {
  const { exchange, params, query, world } = call
  const collection = visibleCollection(call, query.get('id') ?? params[0])
  const title = query.get('title.value') ?? query.get('title')
  if (!collection) return sendError(exchange, 404)
  if (!title) return sendError(exchange, 400)
  const holder = world.collections.titled(collection.sectionKey, title)
  if (holder && holder !== collection) return sendError(exchange, 409)
  world.collections.rename(collection, title)
  sendDone(exchange)
}
