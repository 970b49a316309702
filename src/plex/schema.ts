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
export const NoQuery = z.strictObject({})
export const Limit = z.strictObject({ limit: limit.default(20) })
export const RecentQuery = Limit.extend({
  library: LibraryKey.optional().meta({ description: 'What is new in this library alone' }),
  before: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'What was added before this instant: meta.before of the page before' }),
})
export type RecentQuery = z.output<typeof RecentQuery>

export const ItemKind = z.enum([
  'movie',
  'show',
  'season',
  'episode',
  'artist',
  'album',
  'track',
  'collection',
])
export type ItemKind = z.output<typeof ItemKind>

export const ItemsQuery = Page.extend({
  type: ItemKind.optional().meta({ description: 'What rows to list, as fits the library' }),
  sort: z
    .string()
    .regex(/^(titleSort|addedAt|year|originallyAvailableAt|rating|lastViewedAt)(:(asc|desc))?$/)
    .optional()
    .meta({
      description:
        'titleSort, addedAt, year, originallyAvailableAt, rating or lastViewedAt, with :asc or :desc',
    }),
  genre: z
    .string()
    .trim()
    .normalize('NFC')
    .min(1)
    .max(100)
    .optional()
    .meta({ description: 'A genre by its name, of films, shows, artists and albums' }),
  year: z.coerce.number().int().min(1800).max(2200).optional(),
  resolution: z.enum(['4k', '1080', '720', '576', '480', 'sd']).optional(),
  unwatched: z
    .stringbool({ truthy: ['true', '1'], falsy: ['false', '0'] })
    .optional()
    .meta({ description: 'Only what the caller has not seen, or not seen all of' }),
  addedSince: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: 'Only what was added at that instant or later' }),
})
export type ItemsQuery = z.output<typeof ItemsQuery>

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
    count: z
      .int()
      .optional()
      .meta({ description: 'How many films, shows or artists; absent when Plex would not count them' }),
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

export const ExternalIds = z.object({
  imdb: z.string().optional(),
  tmdb: z.string().optional(),
  tvdb: z.string().optional(),
})
export type ExternalIds = z.output<typeof ExternalIds>

export const Links = z
  .object({ web: z.url(), app: z.string() })
  .meta({ description: 'Open the item in Plex: in a browser, and in an installed app' })
export type Links = z.output<typeof Links>

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
    viewOffsetMs: z.int().optional().meta({ description: 'Where watching was broken off' }),
    lastViewedAt: z.iso.datetime().optional(),
    externalIds: ExternalIds.optional().meta({ description: 'In the answer for one item only' }),
    episodes: z.int().optional().meta({
      description: 'Of a season that stands for them among what is new: how many were added together',
    }),
    links: Links,
    url: z.url().optional().meta({ description: 'The same as links.web' }),
  })
  .meta({ id: 'Item' })
export type Item = z.output<typeof Item>

const count = z.object({ count: z.int() })
const page = z.object({ offset: z.int(), limit: z.int(), total: z.int() })

export const ServerBody = z.object({ data: Server })
export const LibrariesBody = z.object({ data: z.array(Library), meta: count })
export const ItemsBody = z.object({
  data: z.array(Item),
  meta: page.extend({
    ignoredFilters: z.array(z.string()).optional().meta({
      description:
        'Filters this Plex server does not know. Rows that do not fit were left out, so the page may hold fewer than its limit; offset and total count without these filters',
    }),
  }),
})
export const ItemBody = z.object({ data: Item })
export const ChildrenBody = z.object({ data: z.array(Item), meta: page })
/** A list that is whole as it is. */
export const ListBody = z.object({ data: z.array(Item), meta: count })
export const RecentBody = z.object({
  data: z
    .array(Item)
    .meta({ description: 'The newest first. What was added at one instant stays on one page, however long' }),
  meta: count.extend({
    before: z.iso
      .datetime()
      .optional()
      .meta({ description: 'Where the next page begins, if there may be one' }),
  }),
})

const CacheHealth = z
  .object({
    hitRatio: z.number().min(0).max(1).optional().meta({ description: 'Absent when nothing was read' }),
    reads: z.int().nonnegative(),
    hours: z.int().meta({ description: 'What time was counted over' }),
  })
  .meta({ description: 'How many reads the cache has answered without waiting for Plex' })

export const HealthBody = z.object({
  data: z.object({
    status: HealthStatus,
    latencyMs: z.number().optional(),
    cause: HealthCause.optional(),
    cache: CacheHealth.optional().meta({ description: 'For admins' }),
  }),
})
