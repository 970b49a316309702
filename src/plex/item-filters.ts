import { Problem } from '#contract/problem.ts'

import { integer, rows, text, type Row } from './container.ts'
import type { ItemKind, ItemsQuery } from './schema.ts'

/** What a list can be narrowed to; a name in a query is one of these or refused. */
export type ItemFilters = Pick<ItemsQuery, 'genre' | 'year' | 'resolution' | 'unwatched' | 'addedSince'>
export type FilterName = keyof ItemFilters

type Kind = { readonly number: string; readonly filters: readonly FilterName[] }

/** Plex's number for each kind of row, and which filters say something of such rows. */
const kinds: Readonly<Record<ItemKind, Kind>> = {
  movie: { number: '1', filters: ['genre', 'year', 'resolution', 'unwatched', 'addedSince'] },
  show: { number: '2', filters: ['genre', 'year', 'unwatched', 'addedSince'] },
  season: { number: '3', filters: ['unwatched', 'addedSince'] },
  episode: { number: '4', filters: ['year', 'resolution', 'unwatched', 'addedSince'] },
  artist: { number: '8', filters: ['genre', 'addedSince'] },
  album: { number: '9', filters: ['genre', 'year', 'addedSince'] },
  track: { number: '10', filters: ['addedSince'] },
  collection: { number: '18', filters: ['addedSince'] },
}

const kindsIn: ReadonlyMap<string, readonly ItemKind[]> = new Map([
  ['movie', ['movie', 'collection']],
  ['show', ['show', 'season', 'episode', 'collection']],
  ['artist', ['artist', 'album', 'track', 'collection']],
])

const filterNames: readonly FilterName[] = ['genre', 'year', 'resolution', 'unwatched', 'addedSince']

/** The filters that were asked for: `unwatched=false` asks for nothing. */
export function filtersIn(query: ItemFilters): readonly FilterName[] {
  return filterNames.filter((name) => query[name] !== undefined && query[name] !== false)
}

/** What kind of rows is asked for in a library of this type; refuses what does not fit it. */
export function kindFor(libraryType: string, query: Pick<ItemsQuery, 'type'> & ItemFilters): ItemKind {
  const [usual, ...others] = kindsIn.get(libraryType) ?? []
  const kind = query.type ?? usual
  if (!kind || (kind !== usual && !others.includes(kind))) {
    throw refusal('type', `this library has no ${query.type ?? 'such items'}`)
  }
  const unfit = filtersIn(query).find((name) => !kinds[kind].filters.includes(name))
  if (unfit) throw refusal(unfit, `says nothing of a ${kind}`)
  return kind
}

const refusal = (name: string, detail: string) =>
  new Problem('invalid-request', { members: { errors: [{ pointer: `query#/${name}`, detail }] } })

export const kindNumber = (kind: ItemKind): string => kinds[kind].number

/** Of a show or a season it is the episodes that are watched. */
const hasLeaves = (kind: ItemKind) => kind === 'show' || kind === 'season'

/** The filters in Plex's words; a genre by the number of its tag. */
export function filterQuery(
  kind: ItemKind,
  { year, resolution, unwatched, addedSince }: ItemFilters,
  genreId: string | undefined,
): Record<string, string> {
  return {
    type: kindNumber(kind),
    ...(genreId !== undefined && { genre: genreId }),
    ...(year !== undefined && { year: String(year) }),
    ...(resolution !== undefined && { resolution }),
    ...(unwatched === true && { [hasLeaves(kind) ? 'unwatchedLeaves' : 'unwatched']: '1' }),
    // Plex has only “later than”, in whole seconds.
    ...(addedSince !== undefined && { 'addedAt>>': String(sinceSeconds(addedSince) - 1) }),
  }
}

const sinceSeconds = (instant: string) => Math.ceil(Date.parse(instant) / 1000)

/** The filters that a row shows to have been ignored: it carries the field, and says something else. */
export function contradictions(row: Row, kind: ItemKind, asked: ItemFilters): readonly FilterName[] {
  const says: Readonly<Record<Exclude<FilterName, 'genre'>, boolean>> = {
    year: differs(integer(row['year']), asked.year),
    resolution: asked.resolution !== undefined && hasOtherResolution(row, asked.resolution),
    unwatched: asked.unwatched === true && isWatched(row, kind),
    addedSince: asked.addedSince !== undefined && isBefore(row, sinceSeconds(asked.addedSince)),
  }
  return filterNames.filter((name) => name !== 'genre' && says[name])
}

const differs = (value: number | undefined, wanted: number | undefined) =>
  value !== undefined && wanted !== undefined && value !== wanted

function hasOtherResolution(row: Row, wanted: string): boolean {
  const shown = rows(row['Media']).flatMap((media) => text(media['videoResolution'])?.toLowerCase() ?? [])
  return shown.length > 0 && !shown.includes(wanted)
}

function isWatched(row: Row, kind: ItemKind): boolean {
  if (!hasLeaves(kind)) return (integer(row['viewCount']) ?? 0) > 0
  const leaves = integer(row['leafCount'])
  return leaves !== undefined && leaves > 0 && (integer(row['viewedLeafCount']) ?? 0) >= leaves
}

function isBefore(row: Row, seconds: number): boolean {
  const addedAt = integer(row['addedAt'])
  return addedAt !== undefined && addedAt < seconds
}

/** How a name is compared: letters as they are meant, whatever their case or composition. */
export const foldedName = (name: string) => name.normalize('NFC').toLowerCase()

export type GenreShown = 'yes' | 'no' | 'unsaid'

/** Whether a row is of a genre. One that names none has not said so: lists of tags are cut short in listings. */
export function genreShown(row: Row, genre: string): GenreShown {
  const shown = rows(row['Genre']).flatMap(({ tag }) => text(tag) ?? [])
  if (shown.length === 0) return 'unsaid'
  return shown.some((tag) => foldedName(tag) === foldedName(genre)) ? 'yes' : 'no'
}
