import { decimal, flag, instant, integer, rows, text, type Row } from './container.ts'
import { imagesOf } from './image-paths.ts'
import { linksTo } from './links.ts'
import { LibraryKey, type Item, type Library } from './schema.ts'

export type View = {
  readonly now: number
  /** Disk paths are for admins. */
  readonly paths: boolean
  readonly machineIdentifier: string
}

/** Leaves out what is not there: absent is absent. */
export function present<T extends Row>(fields: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- exactly the fields without a value are gone
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]: Exclude<T[K], undefined>
  }
}

/** Plex's number for what a library of this type gets new: an episode, not the show it belongs to. */
export const newestType: ReadonlyMap<string, string> = new Map([
  ['movie', '1'],
  ['show', '4'],
  ['artist', '9'],
  ['photo', '13'],
])

export function parseLibraries(container: Row, view: View): Library[] {
  return rows(container['Directory']).flatMap((row) => parseLibrary(row, view) ?? [])
}

/** Anything else could not be asked for. */
const isLibraryKey = (key: string) => LibraryKey.safeParse(key).success

function parseLibrary(row: Row, { now, paths }: View): Library | undefined {
  const key = text(row['key'])
  if (!key || !isLibraryKey(key)) return undefined
  return present({
    key,
    type: text(row['type']) ?? 'unknown',
    title: text(row['title']) ?? '',
    uuid: text(row['uuid']),
    updatedAt: instant(row['updatedAt'], now),
    scannedAt: instant(row['scannedAt'], now),
    refreshing: flag(row['refreshing']),
    locations: paths ? rows(row['Location']).flatMap((location) => text(location['path']) ?? []) : undefined,
  })
}

export function parseItems(container: Row, view: View): Item[] {
  const libraryKey = text(container['librarySectionID'])
  return rows(container['Metadata']).flatMap((row) => parseItem(row, view, libraryKey) ?? [])
}

export function parseItem(row: Row, view: View, libraryKey?: string): Item | undefined {
  const ratingKey = text(row['ratingKey'])
  if (!ratingKey) return undefined
  const genres = rows(row['Genre']).flatMap(({ tag }) => text(tag) ?? [])
  const media = rows(row['Media']).map((version) => parseMedia(version, view))
  const type = text(row['type']) ?? 'unknown'
  const links = linksTo(view.machineIdentifier, ratingKey, type)
  return present({
    ratingKey,
    type,
    title: text(row['title']) ?? '',
    guid: text(row['guid']),
    libraryKey: text(row['librarySectionID']) ?? libraryKey,
    summary: text(row['summary']),
    year: integer(row['year']),
    durationMs: integer(row['duration']),
    addedAt: instant(row['addedAt'], view.now),
    releasedOn: text(row['originallyAvailableAt']),
    contentRating: text(row['contentRating']),
    rating: decimal(row['rating']),
    viewCount: integer(row['viewCount']),
    viewOffsetMs: integer(row['viewOffset']),
    lastViewedAt: instant(row['lastViewedAt'], view.now),
    index: integer(row['index']),
    childCount: integer(row['childCount']),
    leafCount: integer(row['leafCount']),
    viewedLeafCount: integer(row['viewedLeafCount']),
    parentRatingKey: text(row['parentRatingKey']),
    parentTitle: text(row['parentTitle']),
    parentIndex: integer(row['parentIndex']),
    grandparentRatingKey: text(row['grandparentRatingKey']),
    grandparentTitle: text(row['grandparentTitle']),
    genres: genres.length > 0 ? genres : undefined,
    media: media.length > 0 ? media : undefined,
    images: imagesOf(row),
    links,
    url: links.web,
  })
}

function parseMedia(row: Row, { paths }: View): NonNullable<Item['media']>[number] {
  const [part] = rows(row['Part'])
  return present({
    id: text(row['id']) ?? '',
    durationMs: integer(row['duration']),
    bitrateKbps: integer(row['bitrate']),
    resolution: text(row['videoResolution']),
    width: integer(row['width']),
    height: integer(row['height']),
    container: text(row['container']),
    videoCodec: text(row['videoCodec']),
    audioCodec: text(row['audioCodec']),
    bytes: integer(part?.['size']),
    file: paths ? text(part?.['file']) : undefined,
  })
}

/** Opens the item in Plex's web app, which hands over to an installed one. */
export const itemUrl = (machineIdentifier: string, ratingKey: string): string =>
  linksTo(machineIdentifier, ratingKey).web

/** Files that stand behind the rows of a listing, with their rating keys. */
export function filesOf(container: Row): readonly { readonly file: string; readonly ratingKey: string }[] {
  return rows(container['Metadata']).flatMap((row) => {
    const ratingKey = text(row['ratingKey'])
    const files = rows(row['Media']).flatMap((media) =>
      rows(media['Part']).flatMap((part) => text(part['file']) ?? []),
    )
    return ratingKey ? files.map((file) => ({ file, ratingKey })) : []
  })
}
