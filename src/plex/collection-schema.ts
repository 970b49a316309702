import * as z from 'zod'

import { CollectionTitle } from '#contract/collection-title.ts'

import { ItemImages } from './image-paths.ts'
import { Item, LibraryKey, Links, RatingKey } from './schema.ts'

const maxItems = 1_000

const Items = z
  .array(RatingKey)
  .min(1, 'must name an item: Plex has no empty collections, so delete it instead')
  .max(maxItems)
  .meta({ description: 'Rating keys: items of this library, all of one type' })

export const CollectionParam = z.object({ ratingKey: RatingKey })
export const CollectionItemParam = z.object({ ratingKey: RatingKey, itemKey: RatingKey })
export const CollectionTitleParam = z.object({ key: LibraryKey, title: CollectionTitle })

export const CreateCollection = z.strictObject({
  libraryKey: LibraryKey,
  title: CollectionTitle,
  items: Items,
})
export const RenameCollection = z.strictObject({ title: CollectionTitle })
export const AddToCollection = z.strictObject({ items: Items })
export const PutCollection = z.strictObject({
  items: Items,
  mode: z.enum(['exact', 'add']).default('exact').meta({
    description: '`exact`: it holds these items and no others. `add`: it holds these, and what it held.',
  }),
  dryRun: z.boolean().default(false).meta({ description: 'Say what would be done, and do nothing' }),
})
export type PutCollection = z.output<typeof PutCollection>

export const Collection = z
  .object({
    ratingKey: z.string(),
    title: z.string(),
    libraryKey: z.string().optional(),
    itemType: z.string().optional().meta({ description: 'What all its items are' }),
    itemCount: z.int().optional(),
    smart: z.boolean().meta({ description: 'A rule decides what it holds' }),
    summary: z.string().optional(),
    minYear: z.int().optional(),
    maxYear: z.int().optional(),
    addedAt: z.iso.datetime().optional(),
    updatedAt: z.iso.datetime().optional(),
    images: ItemImages.optional(),
    links: Links,
  })
  .meta({ id: 'Collection' })
export type Collection = z.output<typeof Collection>

export const CollectionChange = z
  .object({
    collection: Collection.optional().meta({ description: 'As it is now; absent when there is none' }),
    created: z.boolean(),
    added: z.array(z.string()).meta({ description: 'Rating keys of the items that came in' }),
    removed: z.array(z.string()).meta({ description: 'Rating keys of the items that were taken out' }),
    calls: z.int().meta({ description: 'How many commands Plex was given, or would be in a dry run' }),
  })
  .meta({ id: 'CollectionChange' })
export type CollectionChange = z.output<typeof CollectionChange>

const page = z.object({ offset: z.int(), limit: z.int(), total: z.int() })

export const CollectionsBody = z.object({ data: z.array(Collection), meta: page })
export const CollectionBody = z.object({ data: Collection })
export const CollectionItemsBody = z.object({ data: z.array(Item), meta: page })
export const CollectionChangeBody = z.object({ data: CollectionChange })
