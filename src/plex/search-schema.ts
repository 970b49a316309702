import * as z from 'zod'

import { Item, ItemKind, LibraryKey, Page } from './schema.ts'

export const SearchQuery = Page.extend({
  query: z.string().trim().normalize('NFC').min(1).max(200),
  limit: Page.shape.limit.unwrap().default(20),
  library: LibraryKey.optional().meta({ description: 'Search this library alone' }),
  type: ItemKind.optional().meta({ description: 'Only what is of this kind' }),
})
export type SearchQuery = z.output<typeof SearchQuery>

const libraryKeys = z.array(z.string())

/** Somebody found, once for all libraries and roles. */
export const FoundPerson = z.object({
  name: z.string(),
  roles: z.array(z.enum(['actor', 'director'])),
  count: z.int().meta({ description: 'Credits in the libraries searched' }),
  libraryKeys,
})
export type FoundPerson = z.output<typeof FoundPerson>

export const FoundTag = z.object({
  name: z.string(),
  kind: z.literal('genre'),
  count: z.int(),
  libraryKeys,
})
export type FoundTag = z.output<typeof FoundTag>

export const SearchBody = z.object({
  data: z.array(Item).meta({ description: 'Items of all kinds, the best first' }),
  people: z.array(FoundPerson).meta({ description: 'The same on every page' }),
  tags: z.array(FoundTag).meta({ description: 'The same on every page' }),
  meta: z.object({
    query: z.string(),
    offset: z.int(),
    limit: z.int(),
    total: z.int(),
    groups: z.record(z.string(), z.int()).meta({
      description:
        'How many of each kind were found, whatever the type asked for: movie, episode, person, genre …',
    }),
  }),
})
