import { sendContainer, sendDone, sendError } from './answers.ts'
import type { Item } from './catalogue.ts'
import { collectionRow } from './collection-rows.ts'
import { renameCollection, showCollectionItems, visibleCollection } from './collections.ts'
import { leavesOf } from './item-rows.ts'
import { sortItems } from './listing.ts'
import { pageHeaders, pageOf } from './paging.ts'
import { rows, type Row } from './row.ts'
import { sectionContainer, sendPage } from './sections.ts'
import { rowFor, visibleItem, type Call, type Route } from './world.ts'

export const metadataRoutes: readonly Route[] = [
  { method: 'GET', pattern: /^\/library\/metadata\/([^/]+)$/, handle: showMetadata },
  { method: 'PUT', pattern: /^\/library\/metadata\/([^/]+)$/, ownerOnly: true, handle: renameCollection },
  { method: 'GET', pattern: /^\/library\/metadata\/([^/]+)\/children$/, handle: showChildren },
  {
    method: 'GET',
    pattern: /^\/library\/metadata\/([^/]+)\/(?:allLeaves|grandchildren)$/,
    handle: showLeaves,
  },
  { method: 'GET', pattern: /^\/library\/metadata\/([^/]+)\/(?:related|similar)$/, handle: showRelated },
  { method: 'GET', pattern: /^\/hubs\/metadata\/([^/]+)\/related$/, handle: showRelated },
  { method: 'GET', pattern: /^\/:\/scrobble$/, handle: (call) => scrobble(call, true) },
  { method: 'GET', pattern: /^\/:\/unscrobble$/, handle: (call) => scrobble(call, false) },
]

/** Of a list of keys, those that are there: 404 only when none is. */
function showMetadata(call: Call): void {
  const { exchange, params, world } = call
  const keys = params[0]?.split(',') ?? []
  const found = keys.flatMap((key): Row[] => {
    const item = visibleItem(call, key)
    if (item) return [rowFor(call, item, { detail: true })]
    const collection = visibleCollection(call, key)
    return collection ? [collectionRow(world, collection, true)] : []
  })
  if (found.length === 0) return sendError(exchange, 404)
  const first = visibleItem(call, String(found[0]?.['ratingKey']))
  const section = first && world.catalogue.section(first.sectionKey)
  sendContainer(exchange, {
    size: found.length,
    allowSync: true,
    identifier: 'com.plexapp.plugins.library',
    ...(section ? { librarySectionID: Number(section.key), librarySectionTitle: section.title } : {}),
    Metadata: found,
  })
}

function showChildren(call: Call): void {
  const { exchange, params, query, world } = call
  if (visibleCollection(call, params[0])) return showCollectionItems(call)
  const item = visibleItem(call, params[0])
  if (!item) return sendError(exchange, 404)
  const children = sortItems(world.catalogue.childrenOf(item.ratingKey), 'index')
  const page = pageOf(exchange, children, world.pageCap)
  const everything =
    item.kind === 'show' && children.length > 1 && query.get('excludeAllLeaves') !== '1'
      ? [allLeaves(call, item)]
      : []
  const container = {
    size: page.items.length + everything.length,
    ...page.paged,
    ...parentContainer(call, item),
    ...rows('Directory', everything),
    ...rows(
      'Metadata',
      page.items.map((child) => rowFor(call, child)),
    ),
  }
  sendContainer(exchange, container, pageHeaders(page))
}

/** The row above the seasons that stands for all their episodes. */
function allLeaves({ world }: Call, show: Item): Row {
  const leaves = leavesOf(world.catalogue, show)
  return {
    leafCount: leaves.length,
    thumb: `/library/metadata/${show.ratingKey}/thumb/${show.updatedAt}`,
    viewedLeafCount: leaves.filter((leaf) => leaf.viewCount).length,
    key: `/library/metadata/${show.ratingKey}/allLeaves`,
    title: 'All episodes',
  }
}

/** In a container the keys of ancestors are numbers, though items call them strings. */
function parentContainer({ world }: Call, item: Item): Row {
  const section = world.catalogue.section(item.sectionKey)
  const show = item.parent ? world.catalogue.item(item.parent) : undefined
  return {
    ...(section ? sectionContainer(section) : {}),
    key: item.ratingKey,
    parentTitle: item.title,
    ...(item.kind === 'show' ? { parentIndex: 1, parentYear: item.year, summary: item.summary ?? '' } : {}),
    ...(show ? { grandparentRatingKey: Number(show.ratingKey), grandparentTitle: show.title } : {}),
    title2: item.title,
    viewGroup: item.kind === 'show' ? 'season' : 'episode',
  }
}

function showLeaves(call: Call): void {
  const { exchange, params, world } = call
  const item = visibleItem(call, params[0])
  if (!item) return sendError(exchange, 404)
  const page = pageOf(exchange, leavesOf(world.catalogue, item), world.pageCap)
  sendPage(call, page, { ...parentContainer(call, item), viewGroup: 'episode', mixedParents: true }, (leaf) =>
    rowFor(call, leaf),
  )
}

/** Hubs of what shares a genre. */
function showRelated(call: Call): void {
  const { exchange, params, world } = call
  const item = visibleItem(call, params[0])
  if (!item) return sendError(exchange, 404)
  const alike = world.catalogue
    .list(item.sectionKey, item.kind)
    .filter((other) => other !== item && other.genres?.some((genre) => item.genres?.includes(genre)))
    .slice(0, 10)
  const hub = {
    hubIdentifier: `${item.kind}.similar`,
    title: 'Related',
    type: item.kind,
    size: alike.length,
    more: false,
    style: 'shelf',
    ...rows(
      'Metadata',
      alike.map((other) => rowFor(call, other)),
    ),
  }
  sendContainer(exchange, {
    size: alike.length ? 1 : 0,
    allowSync: false,
    ...rows('Hub', alike.length ? [hub] : []),
  })
}

function scrobble(call: Call, watched: boolean): void {
  const item = visibleItem(call, call.query.get('key') ?? undefined)
  if (!item) return sendError(call.exchange, 404)
  delete item.viewOffset
  if (watched) {
    item.viewCount = (item.viewCount ?? 0) + 1
    item.lastViewedAt = Math.floor(call.world.now() / 1000)
  } else {
    delete item.viewCount
    delete item.lastViewedAt
  }
  call.world.catalogue.touched(item.sectionKey)
  sendDone(call.exchange)
}
