import { sendContainer, sendError } from './answers.ts'
import type { Item, Kind, Section, TagKind } from './catalogue.ts'
import { collectionRow } from './collection-rows.ts'
import { hash } from './poster.ts'
import { rows, type Row } from './row.ts'
import { rowFor, visibleSections, type Call, type Route } from './world.ts'

export const searchRoutes: readonly Route[] = [
  { method: 'GET', pattern: /^\/hubs\/search$/, handle: searchHubs },
  { method: 'GET', pattern: /^\/library\/search$/, handle: searchLibrary },
]

/** Every hub is always there, most of them empty. */
const hubTitles: Readonly<Record<string, string>> = {
  show: 'Shows',
  movie: 'Movies',
  collection: 'Collections',
  actor: 'Actors',
  artist: 'Artists',
  album: 'Albums',
  photoalbum: 'Photo Albums',
  autotag: 'Photo Tags',
  photo: 'Photos',
  tag: 'Tags',
  track: 'Tracks',
  director: 'Directors',
  genre: 'Genres',
  episode: 'Episodes',
  playlist: 'Playlists',
  shared: 'Shared',
  place: 'Places',
}

const tagTypes: Readonly<Record<TagKind, number>> = { genre: 1, collection: 2, director: 4, actor: 6 }

type Hit = {
  readonly score: number
  readonly sectionKey: string
  readonly row: () => Row
  readonly directory?: boolean
}

/** `limit` is per hub; a section moves its own hits to the front and hides none of the others. */
function searchHubs(call: Call): void {
  const { exchange, query } = call
  const asked = query.get('query')?.trim() ?? ''
  const sectionKey = query.get('sectionId')
  const sections = visibleSections(call)
  if (asked === '') return sendError(exchange, 400)
  if (sectionKey !== null && !sections.some(({ key }) => key === sectionKey)) return sendError(exchange, 400)
  const limit = Number(query.get('limit') ?? 3) || 500
  const rank = (hit: Hit) => hit.score + (hit.sectionKey === sectionKey ? 1 : 0)
  const hubs = Object.entries(hubTitles).map(([type, title]) => {
    // A single letter finds nothing at all.
    const all = asked.length < 2 ? [] : hitsOf(call, type, asked, sections)
    const hits = all.toSorted((a, b) => rank(b) - rank(a)).slice(0, limit)
    const best = hits[0] ? rank(hits[0]) : 0
    const list = hits.map((hit) => hit.row())
    const size = hits.length
    const head = {
      title,
      type,
      hubIdentifier: type,
      context: `hub.search.${type}`,
      size,
      more: false,
      style: 'shelf',
    }
    return { best, row: { ...head, ...rows(hits[0]?.directory ? 'Directory' : 'Metadata', list) } }
  })
  const ordered = hubs.toSorted((a, b) => b.best - a.best).map(({ row }) => row)
  sendContainer(exchange, {
    size: ordered.length,
    allowSync: false,
    identifier: 'com.plexapp.plugins.library',
    Hub: ordered,
  })
}

function hitsOf(call: Call, type: string, asked: string, sections: readonly Section[]): readonly Hit[] {
  return sections.flatMap((section) => {
    switch (type) {
      case 'show':
      case 'movie':
      case 'episode':
        return itemHits(call, { section, kind: type, asked })
      case 'actor':
      case 'director':
      case 'genre':
        return tagHits(call, { section, kind: type, asked })
      case 'collection':
        return collectionHits(call, section, asked)
      default:
        return []
    }
  })
}

type ItemSearch = { readonly section: Section; readonly kind: Kind; readonly asked: string }

function itemHits(call: Call, { section, kind, asked }: ItemSearch): readonly Hit[] {
  return call.world.catalogue.list(section.key, kind).flatMap((item): readonly Hit[] => {
    const score = scoreOf(item.title, asked)
    if (score === 0) return []
    const row = () => ({ ...rowFor(call, item, { detail: true }), score: score.toFixed(5) })
    return [{ score, sectionKey: section.key, row }]
  })
}

type TagSearch = {
  readonly section: Section
  readonly kind: Exclude<TagKind, 'collection'>
  readonly asked: string
}

/** A person in two sections is there twice, with one tag key. */
function tagHits(call: Call, { section, kind, asked }: TagSearch): readonly Hit[] {
  const counts = new Map<string, number>()
  for (const item of call.world.catalogue.list(section.key, section.type)) {
    for (const name of namesOf(item, kind)) {
      if (scoreOf(name, asked) > 0) counts.set(name, (counts.get(name) ?? 0) + 1)
    }
  }
  return [...counts].map(([name, count]): Hit => {
    const score = scoreOf(name, asked)
    const row = () => tagRow(call, { section, kind, name, count, score })
    return { score, sectionKey: section.key, directory: true, row }
  })
}

type TagHit = { section: Section; kind: TagKind; name: string; count: number; score: number }

function tagRow({ world }: Call, { section, kind, name, count, score }: TagHit): Row {
  const { id } = world.catalogue.tags.of(kind, section.key, name)
  const person = kind === 'actor' || kind === 'director'
  return {
    key: `/library/sections/${section.key}/all?${kind}=${id}`,
    librarySectionID: Number(section.key),
    librarySectionKey: `/library/sections/${section.key}`,
    librarySectionTitle: section.title,
    librarySectionType: section.type === 'movie' ? 1 : 2,
    reason: 'section',
    reasonID: Number(section.key),
    reasonTitle: section.title,
    score: score.toFixed(5),
    type: 'tag',
    id,
    filter: `${kind}=${id}`,
    tag: name,
    tagType: tagTypes[kind],
    ...(person ? { tagKey: `5d7768${hash(name).toString(16).padStart(18, '0')}` } : {}),
    ...(person ? { thumb: `https://metadata-static.plex.tv/people/${hash(name)}.jpg` } : {}),
    count,
  }
}

/** Without `includeCollections` a collection is a mere tag: no rating key, no picture. */
function collectionHits(call: Call, section: Section, asked: string): readonly Hit[] {
  const asRows = call.query.get('includeCollections') === '1'
  return call.world.collections.list(section.key).flatMap((collection): readonly Hit[] => {
    const score = scoreOf(collection.title, asked)
    if (score === 0) return []
    const { title: name, itemKeys } = collection
    const row = () =>
      asRows
        ? { ...collectionRow(call.world, collection, true), score: score.toFixed(5) }
        : tagRow(call, { section, kind: 'collection', name, count: itemKeys.length, score })
    return [{ score, sectionKey: section.key, directory: !asRows, row }]
  })
}

function namesOf(item: Item, kind: TagSearch['kind']): readonly string[] {
  if (kind === 'genre') return item.genres ?? []
  return (kind === 'actor' ? item.cast : item.directors) ?? []
}

/** How well a text answers: whole, at its start, at the start of a word, or not at all. */
function scoreOf(text: string, asked: string): number {
  const [whole, wanted] = [text.toLowerCase(), asked.toLowerCase()]
  if (whole === wanted) return 0.9
  if (whole.startsWith(wanted)) return 0.7
  const at = whole.indexOf(wanted)
  return at > 0 && !/[\p{L}\p{N}]/u.test(whole.charAt(at - 1)) ? 0.52 : 0
}

/** The newer search: one list, whose scores are numbers for items and strings for tags. */
function searchLibrary(call: Call): void {
  const { exchange, query } = call
  const asked = query.get('query')?.trim() ?? ''
  if (asked === '') return sendError(exchange, 400)
  const types = query.get('searchTypes')?.split(',') ?? ['movies', 'tv', 'people']
  const wanted = [
    ...(types.includes('movies') ? ['movie'] : []),
    ...(types.includes('tv') ? ['show', 'episode'] : []),
    ...(types.includes('people') ? ['actor', 'director'] : []),
  ]
  const limit = Number(query.get('limit') ?? 100) || 100
  const found = wanted
    .flatMap((type) => hitsOf(call, type, asked, visibleSections(call)))
    .toSorted((a, b) => b.score - a.score)
    .slice(0, limit)
    .map(
      (hit): Row =>
        hit.directory
          ? { score: hit.score.toFixed(5), Directory: hit.row() }
          : { score: hit.score, Metadata: hit.row() },
    )
  sendContainer(exchange, { size: found.length, ...rows('SearchResult', found) })
}
