import { decimal, integer, rows, text, type Row } from './container.ts'
import { foldedName } from './item-filters.ts'
import type { FoundPerson, FoundTag } from './search-schema.ts'

/** Hubs whose rows are things of a library; the others hold tags, people and what others have shared. */
const itemHubs = new Set([
  'movie',
  'show',
  'season',
  'episode',
  'artist',
  'album',
  'track',
  'collection',
  'photo',
  'clip',
])
const roles = ['actor', 'director'] as const

const typed = (hubs: readonly Row[], type: string) => hubs.filter((hub) => text(hub['type']) === type)

/** Whether a row is of the library that is searched; PMS merely ranks by it. */
const within = (row: Row, library: string | undefined) =>
  library === undefined || text(row['librarySectionID']) === library

/** The rows of all hubs as one list, the best first. Each hub is ranked for itself, but their scores compare. */
export function rankedRows(hubs: readonly Row[], library?: string): readonly Row[] {
  return hubs
    .filter((hub) => itemHubs.has(text(hub['type']) ?? ''))
    .flatMap((hub) => rows(hub['Metadata']))
    .filter((row) => within(row, library))
    .toSorted((a, b) => scoreOf(b) - scoreOf(a))
}

const scoreOf = (row: Row) => decimal(row['score']) ?? 0

type Merged = { name: string; count: number; score: number; readonly libraryKeys: Set<string> }

/** Hubs tell a tag once for each library: the same one is counted together. */
function mergeTags<T extends Merged>(
  found: Map<string, T>,
  row: Row,
  keyOf: (name: string) => string,
  create: (merged: Merged) => T,
): T | undefined {
  const name = text(row['tag'])
  if (!name) return undefined
  const known = found.get(keyOf(name)) ?? create({ name, count: 0, score: 0, libraryKeys: new Set() })
  known.count += Math.max(0, integer(row['count']) ?? 1)
  known.score = Math.max(known.score, scoreOf(row))
  const library = text(row['librarySectionID'])
  if (library) known.libraryKeys.add(library)
  found.set(keyOf(name), known)
  return known
}

/** People of all libraries and roles, each once: those with one key are the same, and without a key, of one name. */
export function mergePeople(hubs: readonly Row[], library?: string): FoundPerson[] {
  type Person = Merged & { readonly roles: Set<(typeof roles)[number]> }
  const people = new Map<string, Person>()
  for (const role of roles) {
    for (const row of tagRows(hubs, role, library)) {
      const tagKey = text(row['tagKey'])
      const keyOf = (name: string) => (tagKey ? `key ${tagKey}` : `name ${foldedName(name)}`)
      mergeTags(people, row, keyOf, (merged) => ({ ...merged, roles: new Set() }))?.roles.add(role)
    }
  }
  return best(people).map(({ name, count, libraryKeys, roles }) => ({
    name,
    roles: [...roles],
    count,
    libraryKeys: [...libraryKeys].toSorted(),
  }))
}

export function mergeGenres(hubs: readonly Row[], library?: string): FoundTag[] {
  const genres = new Map<string, Merged>()
  for (const row of tagRows(hubs, 'genre', library)) mergeTags(genres, row, foldedName, (merged) => merged)
  return best(genres).map(({ name, count, libraryKeys }) => ({
    name,
    kind: 'genre',
    count,
    libraryKeys: [...libraryKeys].toSorted(),
  }))
}

const tagRows = (hubs: readonly Row[], type: string, library?: string) =>
  typed(hubs, type)
    .flatMap((hub) => rows(hub['Directory']))
    .filter((row) => within(row, library))

const best = <T extends Merged>(found: ReadonlyMap<string, T>): T[] =>
  [...found.values()].toSorted((a, b) => b.score - a.score || b.count - a.count || (a.name < b.name ? -1 : 1))

/** How many there are of each. */
export function countBy(names: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return Object.fromEntries(counts)
}
