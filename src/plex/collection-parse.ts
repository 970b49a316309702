import type { Collection } from './collection-schema.ts'
import { flag, instant, integer, text, type Row } from './container.ts'
import { imagesOf } from './image-paths.ts'
import { linksTo } from './links.ts'
import { present, type View } from './parse.ts'
import { LibraryKey, RatingKey } from './schema.ts'

/** The library a container is of, when it says. */
export const libraryOf = (row: Row): string | undefined =>
  LibraryKey.safeParse(text(row['librarySectionID'])).data

export function parseCollection(row: Row, view: View, libraryKey?: string): Collection | undefined {
  const ratingKey = RatingKey.safeParse(text(row['ratingKey'])).data
  if (ratingKey === undefined) return undefined
  return present({
    ratingKey,
    title: text(row['title']) ?? '',
    libraryKey: libraryOf(row) ?? libraryKey,
    itemType: text(row['subtype']),
    itemCount: integer(row['childCount']),
    smart: flag(row['smart']),
    summary: text(row['summary']),
    minYear: integer(row['minYear']),
    maxYear: integer(row['maxYear']),
    addedAt: instant(row['addedAt'], view.now),
    updatedAt: instant(row['updatedAt'], view.now),
    images: imagesOf(row),
    links: linksTo(view.machineIdentifier, ratingKey, 'collection'),
  })
}
