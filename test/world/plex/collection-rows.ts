import type { Collection } from './collection-store.ts'
import type { Row } from './row.ts'
import type { World } from './world.ts'

/** A collection as Plex shows it: how many it holds, and its years, are strings here. */
export function collectionRow(world: World, collection: Collection, detail = false): Row {
  const { ratingKey, sectionKey, title, subtype, index, guid, summary, addedAt, updatedAt, smart } =
    collection
  const items = world.collections.items(collection)
  const years = items.flatMap(({ year }) => year ?? [])
  const [oldest, newest] = years.length ? [Math.min(...years), Math.max(...years)] : []
  const section = world.catalogue.section(sectionKey)
  return {
    ratingKey,
    key: `/library/collections/${ratingKey}/children`,
    guid,
    type: 'collection',
    title,
    subtype,
    ...(detail ? { librarySectionID: Number(sectionKey), librarySectionTitle: section?.title } : {}),
    ...(smart ? { smart: '1' } : {}),
    summary,
    index,
    ratingCount: items.length,
    thumb: `/library/collections/${ratingKey}/composite/${updatedAt}?width=400&height=600`,
    addedAt,
    updatedAt,
    childCount: String(items.length),
    minYear: oldest === undefined ? undefined : String(oldest),
    maxYear: newest === undefined ? undefined : String(newest),
    collectionMode: collection.mode,
    collectionSort: collection.sort,
    ...(detail ? { Label: [{ tag: 'Shelf' }] } : {}),
  }
}
