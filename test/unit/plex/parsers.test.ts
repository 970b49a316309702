import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'

import { parseCollection } from '../../../src/plex/collection-parse.ts'
import { Collection } from '../../../src/plex/collection-schema.ts'
import { isContainer, rows, type Row } from '../../../src/plex/container.ts'
import { externalIdsOf } from '../../../src/plex/external-ids.ts'
import { ItemImages, imagesOf } from '../../../src/plex/image-paths.ts'
import { contradictions, genreShown } from '../../../src/plex/item-filters.ts'
import { groupEpisodes } from '../../../src/plex/newest.ts'
import { filesOf, parseItem, parseLibraries } from '../../../src/plex/parse.ts'
import { parseSession } from '../../../src/plex/parse-session.ts'
import { ExternalIds, Item, Library } from '../../../src/plex/schema.ts'
import { mergeGenres, mergePeople, rankedRows } from '../../../src/plex/search-results.ts'
import { FoundPerson, FoundTag } from '../../../src/plex/search-schema.ts'
import { PlaySession } from '../../../src/plex/session-schema.ts'

const now = Date.UTC(2026, 0, 1)
const view = (paths: boolean) => ({ now, paths, machineIdentifier: 'abc123' })

/** Each reader of rows, with the shape that what it reads has. */
const readers: Readonly<Record<string, readonly [z.ZodType, (row: Row, paths: boolean) => unknown]>> = {
  items: [Item.optional(), (row, paths) => parseItem(row, view(paths))],
  libraries: [z.array(Library), (row, paths) => parseLibraries({ Directory: [row] }, view(paths))],
  collections: [Collection.optional(), (row, paths) => parseCollection(row, view(paths))],
  sessions: [PlaySession.optional(), (row, paths) => parseSession(row, view(paths))],
  images: [ItemImages.optional(), (row) => imagesOf(row)],
  'external ids': [ExternalIds.optional(), (row) => externalIdsOf(row)],
  files: [
    z.array(z.object({ file: z.string(), ratingKey: z.string() })),
    (row) => filesOf({ Metadata: row }),
  ],
  'ranked rows': [z.array(z.looseObject({})), (row) => rankedRows([row, { type: 'movie', Metadata: row }])],
  people: [z.array(FoundPerson), (row) => mergePeople([row, { type: 'actor', Directory: [row, row] }])],
  genres: [z.array(FoundTag), (row) => mergeGenres([row, { type: 'genre', Directory: [row, row] }])],
  news: [z.array(z.looseObject({ atMs: z.int().min(0).max(now) })), (row) => groupEpisodes([row, row], now)],
  filters: [
    z.array(z.string()),
    (row) => [
      ...contradictions(row, 'movie', { year: 2006, resolution: '4k', unwatched: true }),
      genreShown(row, 'Action'),
    ],
  ],
}

const names = `
  ratingKey key type title guid summary year duration addedAt updatedAt
  rating index childCount leafCount viewCount viewOffset lastViewedAt smart
  subtype minYear maxYear librarySectionID parentRatingKey parentTitle thumb art
  Media Part Genre Guid Location User Player Session TranscodeSession
  id tag tagKey count score path file size state sessionKey bandwidth
  videoResolution progress speed location refreshing originallyAvailableAt __proto__
`
  .trim()
  .split(/\s+/)
const { row: oddRow } = fc.letrec<{ value: unknown; row: Row }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.jsonValue({ maxDepth: 1 }),
    fc.nat().map(String),
    fc.constantFrom('1', '-1', '1e9', 'movie', 'episode', '0.52000', '\ud800', 1e300, -5, 0.1, null, ''),
    fc.array(tie('row'), { maxLength: 3 }),
    tie('row'),
  ),
  row: fc.dictionary(fc.constantFrom(...names), tie('value'), { maxKeys: 12 }),
}))

const holdsNull = (value: unknown): boolean =>
  value === null || (typeof value === 'object' && Object.values(value).some(holdsNull))

test.for(Object.keys(readers))('%s come out in their own shape, whatever goes in', (name) => {
  const [schema, read] = readers[name] ?? [z.never(), () => undefined]
  const isOurs = name !== 'ranked rows' && name !== 'news'
  fc.assert(
    fc.property(fc.oneof(oddRow, fc.dictionary(fc.string(), fc.jsonValue())), fc.boolean(), (row, paths) => {
      const value = read(row, paths)
      // As it travels: what JSON cannot say, such as an infinite number, would become a null.
      const sent: unknown = value === undefined ? undefined : JSON.parse(JSON.stringify(value))
      schema.parse(sent)
      if (isOurs) expect(holdsNull(sent)).toBe(false)
    }),
    { numRuns: 400 },
  )
})

test('a row with nothing but its key is read by each that reads such rows', () => {
  const row = { ratingKey: '1', key: '1', type: 'movie', title: 'One', sessionKey: '1', User: { id: '2' } }
  for (const name of ['items', 'collections', 'sessions'])
    expect(readers[name]?.[1](row, false), name).toBeDefined()
  expect(readers['libraries']?.[1](row, false)).toHaveLength(1)
})

test('any JSON is a container or is not, and lists of one are lists', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      if (!isContainer(value)) return
      for (const list of ['Metadata', 'Directory', 'Hub', 'Activity'])
        expect(Array.isArray(rows(value[list]))).toBe(true)
    }),
  )
})
