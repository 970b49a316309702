import { sendContainer, sendError } from './answers.ts'
import type { Item, Section } from './catalogue.ts'
import { collectionRow } from './collection-rows.ts'
import { listItems, recentlyAdded, sortItems } from './listing.ts'
import { pageHeaders, pageOf, type Page } from './paging.ts'
import { rows, type Row } from './row.ts'
import { sectionMeta } from './section-meta.ts'
import { rowFor, visibleSection, visibleSections, type Call, type Route } from './world.ts'

const identifier = 'com.plexapp.plugins.library'

export const sectionRoutes: readonly Route[] = [
  { method: 'GET', pattern: /^\/library$/, handle: showLibrary },
  { method: 'GET', pattern: /^\/library\/sections$/, handle: (call) => showSections(call, 0) },
  // Documented as a boolean there, sent as a number by the older list.
  { method: 'GET', pattern: /^\/library\/sections\/all$/, handle: (call) => showSections(call, false) },
  { method: 'GET', pattern: /^\/library\/sections\/([^/]+)$/, handle: withSection(showSection) },
  { method: 'GET', pattern: /^\/library\/sections\/([^/]+)\/all$/, handle: withSection(showAll) },
  {
    method: 'GET',
    pattern: /^\/library\/sections\/([^/]+)\/recentlyAdded$/,
    handle: withSection(showNewest),
  },
  { method: 'GET', pattern: /^\/library\/sections\/([^/]+)\/genre$/, handle: withSection(showGenres) },
  {
    method: 'GET',
    pattern: /^\/library\/sections\/([^/]+)\/firstCharacter$/,
    handle: withSection(showCharacters),
  },
  { method: 'GET', pattern: /^\/hubs\/sections\/([^/]+)$/, handle: withSection(showHubs) },
  { method: 'GET', pattern: /^\/library\/recentlyAdded$/, handle: showRecentlyAdded },
  { method: 'GET', pattern: /^\/hubs\/home\/recentlyAdded$/, handle: showRecentlyAdded },
  { method: 'GET', pattern: /^\/library\/onDeck$/, handle: showOnDeck },
]

/** Answers 404 for a section that is not there, and for one the caller may not see. */
function withSection(handle: (call: Call, section: Section) => void): Route['handle'] {
  return (call) => {
    const section = visibleSection(call, call.params[0])
    if (section) handle(call, section)
    else sendError(call.exchange, 404)
  }
}

/** A page of a container: the sizes, which exist on paged answers only, then what it holds. */
export function sendPage<T>(call: Call, page: Page<T>, container: Row, toRow: (entry: T) => Row): void {
  const { exchange } = call
  const list = page.items.map(toRow)
  const sizes = { size: page.items.length, ...page.paged }
  sendContainer(exchange, { ...sizes, ...container, ...rows('Metadata', list) }, pageHeaders(page))
}

function showLibrary({ exchange }: Call): void {
  const Directory = [
    { key: 'sections', title: 'Library Sections' },
    { key: 'recentlyAdded', title: 'Recently Added Content' },
    { key: 'onDeck', title: 'On Deck Content' },
  ]
  sendContainer(exchange, { size: 3, allowSync: false, identifier, title1: 'Plex Library', Directory })
}

function showSections(call: Call, hidden: 0 | false): void {
  const visible = visibleSections(call).map((section) => sectionRow(call, section, hidden))
  const container = { size: visible.length, allowSync: false, title1: 'Plex Library' }
  sendContainer(call.exchange, { ...container, ...rows('Directory', visible) })
}

function sectionRow({ world }: Call, section: Section, hidden: 0 | false): Row {
  const { key, type, locations, ...rest } = section
  return {
    allowSync: true,
    art: `/:/resources/${type}-fanart.jpg`,
    composite: `/library/sections/${key}/composite/${section.updatedAt}`,
    filters: true,
    refreshing: world.scanner.isScanning(key),
    thumb: `/:/resources/${type}.png`,
    key,
    type,
    ...rest,
    language: 'en-US',
    content: true,
    directory: true,
    hidden,
    Location: locations,
  }
}

function showSection({ exchange }: Call, section: Section): void {
  const names = [
    'all',
    'unwatched',
    'newest',
    'recentlyAdded',
    'collection',
    'genre',
    'year',
    'firstCharacter',
  ]
  const Directory = names.map((key) => ({ key, title: key }))
  sendContainer(exchange, {
    size: Directory.length,
    allowSync: false,
    content: 'secondary',
    identifier,
    librarySectionID: Number(section.key),
    title1: section.title,
    viewGroup: 'secondary',
    Directory,
  })
}

/** What lists of a section say of it. */
export function sectionContainer(section: Section): Row {
  return {
    allowSync: true,
    identifier,
    librarySectionID: Number(section.key),
    librarySectionTitle: section.title,
    librarySectionUUID: section.uuid,
    mediaTagPrefix: '/system/bundle/media/flags/',
    title1: section.title,
    viewGroup: section.type,
  }
}

function showAll(call: Call, section: Section): void {
  const { exchange, query, world } = call
  const container = {
    ...sectionContainer(section),
    ...(query.get('includeMeta') === '1' ? { Meta: sectionMeta(section) } : {}),
  }
  const collections = world.collections.list(section.key)
  if (query.get('type') === '18') {
    const page = pageOf(exchange, collections, world.pageCap)
    return sendPage(call, page, container, (collection) => collectionRow(world, collection))
  }
  const tag = query.get('collection')
  const members = collections.find(({ index }) => String(index) === tag)
  const within = members && new Set(world.collections.items(members))
  const found = listItems(world.catalogue, section, query)
  const items = tag === null ? found : found.filter((item) => within?.has(item))
  const page = pageOf(exchange, items, world.pageCap)
  sendPage(call, page, container, (item) => rowFor(call, item))
}

function showNewest(call: Call, section: Section): void {
  const { exchange, world } = call
  const page = pageOf(exchange, recentlyAdded(world.catalogue, section), world.pageCap)
  sendPage(call, page, { ...sectionContainer(section), mixedParents: true }, (item) => rowFor(call, item))
}

function showGenres({ exchange, world }: Call, section: Section): void {
  const names = new Set(world.catalogue.list(section.key, section.type).flatMap(({ genres }) => genres ?? []))
  const Directory = [...names].toSorted().map((title) => ({
    fastKey: `/library/sections/${section.key}/all?genre=${world.catalogue.tags.of('genre', section.key, title).id}`,
    key: String(world.catalogue.tags.of('genre', section.key, title).id),
    title,
    type: 'genre',
  }))
  sendContainer(exchange, {
    size: Directory.length,
    ...sectionContainer(section),
    ...rows('Directory', Directory),
  })
}

function showCharacters({ exchange, world }: Call, section: Section): void {
  const sizes = new Map<string, number>()
  for (const { title, titleSort } of world.catalogue.list(section.key, section.type)) {
    const first = (titleSort ?? title).charAt(0).toUpperCase()
    const key = /\p{L}/u.test(first) ? first : '#'
    sizes.set(key, (sizes.get(key) ?? 0) + 1)
  }
  const Directory = [...sizes]
    .toSorted()
    .map(([title, size]) => ({ size, key: encodeURIComponent(title), title }))
  sendContainer(exchange, {
    size: Directory.length,
    ...sectionContainer(section),
    ...rows('Directory', Directory),
  })
}

function showHubs(call: Call, section: Section): void {
  const newest = recentlyAdded(call.world.catalogue, section).slice(0, 6)
  const hub = {
    key: `/library/sections/${section.key}/all?sort=addedAt:desc`,
    title: 'Recently Added',
    type: section.type,
    hubIdentifier: `${section.type}.recentlyadded.${section.key}`,
    size: newest.length,
    more: true,
    style: 'shelf',
    ...rows(
      'Metadata',
      newest.map((item) => rowFor(call, item)),
    ),
  }
  sendContainer(call.exchange, { size: 1, ...sectionContainer(section), Hub: [hub] })
}

/** Across all sections; this list says its size as a string. */
function showRecentlyAdded(call: Call): void {
  const { exchange, query, world } = call
  const type = query.get('type')
  const sections = visibleSections(call).filter(
    (section) => !type || (type === '1' ? section.type === 'movie' : section.type === 'show'),
  )
  const all = sections.flatMap((section) => recentlyAdded(world.catalogue, section).slice(0, 500))
  const page = pageOf(exchange, sortItems(all, 'addedAt:desc'), world.pageCap)
  const container = { allowSync: false, identifier, mixedParents: true }
  sendPage(call, page, { ...container, size: String(page.items.length) }, (item) =>
    rowFor(call, item, { detail: true }),
  )
}

function showOnDeck(call: Call): void {
  const { exchange, world } = call
  const begun = visibleSections(call).flatMap(({ key }) =>
    (['movie', 'episode'] as const).flatMap((kind): readonly Item[] =>
      world.catalogue.list(key, kind).filter(({ viewOffset }) => viewOffset),
    ),
  )
  const page = pageOf(exchange, sortItems(begun, 'lastViewedAt:desc'), world.pageCap)
  sendPage(call, page, { allowSync: false, identifier, mixedParents: true }, (item) =>
    rowFor(call, item, { detail: true }),
  )
}
