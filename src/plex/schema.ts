import * as z from 'zod'

import { HealthCause, HealthStatus } from '#contract/health.ts'

import { ItemImages } from './image-paths.ts'

export const LibraryKey = z.string().regex(/^\d{1,9}$/, 'must be digits')
export const RatingKey = z.string().regex(/^\d{1,12}$/, 'must be digits')

export const LibraryParam = z.object({ key: LibraryKey })
export const ItemParam = z.object({ ratingKey: RatingKey })

const limit = z.coerce.number().int().min(1).max(100)
export const Page = z.strictObject({
  offset: z.coerce.number().int().min(0).max(10_000_000).default(0),
  limit: limit.default(50),
})
export const SearchQuery = z.strictObject({
  query: z.string().trim().normalize('NFC').min(1).max(200),
  limit: limit.default(20),
})
export const RecentQuery = z.strictObject({ limit: limit.default(20) })
export const NoQuery = z.strictObject({})

export const Server = z
  .object({
    name: z.string(),
    machineIdentifier: z.string(),
    version: z.string().optional(),
    platform: z.string().optional(),
    updatedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'PlexServer' })

export const Library = z
  .object({
    key: z.string(),
    type: z.string(),
    title: z.string(),
    uuid: z.string().optional(),
    updatedAt: z.iso.datetime().optional(),
    scannedAt: z.iso.datetime().optional(),
    refreshing: z.boolean(),
    locations: z.array(z.string()).optional().meta({ description: 'Folders on the server; for admins only' }),
  })
  .meta({ id: 'Library' })
export type Library = z.output<typeof Library>

export const MediaVersion = z.object({
  id: z.string(),
  durationMs: z.int().optional(),
  bitrateKbps: z.int().optional(),
  resolution: z.string().optional(),
  width: z.int().optional(),
  height: z.int().optional(),
  container: z.string().optional(),
  videoCodec: z.string().optional(),
  audioCodec: z.string().optional(),
  bytes: z.int().optional(),
  file: z.string().optional().meta({ description: 'Path on the server; for admins only' }),
})

export const Item = z
  .object({
    ratingKey: z.string(),
    type: z.string(),
    title: z.string(),
    guid: z.string().optional(),
    libraryKey: z.string().optional(),
    summary: z.string().optional(),
    year: z.int().optional(),
    durationMs: z.int().optional(),
    addedAt: z.iso.datetime().optional(),
    releasedOn: z.string().optional(),
    contentRating: z.string().optional(),
    rating: z.number().optional(),
    viewCount: z.int().optional(),
    index: z.int().optional(),
    childCount: z.int().optional(),
    leafCount: z.int().optional(),
    viewedLeafCount: z.int().optional(),
    parentRatingKey: z.string().optional(),
    parentTitle: z.string().optional(),
    parentIndex: z.int().optional(),
    grandparentRatingKey: z.string().optional(),
    grandparentTitle: z.string().optional(),
    genres: z.array(z.string()).optional(),
    media: z.array(MediaVersion).optional(),
    images: ItemImages.optional(),
    url: z.url().optional().meta({ description: 'Opens the item in Plex' }),
  })
  .meta({ id: 'Item' })
export type Item = z.output<typeof Item>

const count = z.object({ count: z.int() })
const page = z.object({ offset: z.int(), limit: z.int(), total: z.int() })

export const ServerBody = z.object({ data: Server })
export const LibrariesBody = z.object({ data: z.array(Library), meta: count })
export const ItemsBody = z.object({ data: z.array(Item), meta: page })
export const ItemBody = z.object({ data: Item })
export const ChildrenBody = z.object({ data: z.array(Item), meta: page })
export const SearchBody = z.object({
  data: z.array(Item),
  meta: z.object({ query: z.string(), count: z.int() }),
})
export const RecentBody = z.object({ data: z.array(Item), meta: count })

export const HealthBody = z.object({
  data: z.object({ status: HealthStatus, latencyMs: z.number().optional(), cause: HealthCause.optional() }),
})
