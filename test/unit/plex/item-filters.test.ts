import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  contradictions,
  filterQuery,
  filtersIn,
  genreShown,
  kindFor,
  type ItemFilters,
} from '../../../src/plex/item-filters.ts'

test('a library lists what is of its kind unless it is asked for more, and refuses what does not fit', () => {
  expect(kindFor('movie', {})).toBe('movie')
  expect(kindFor('show', { type: 'episode', resolution: '4k' })).toBe('episode')
  expect(kindFor('artist', { type: 'track' })).toBe('track')
  for (const [library, query] of [
    ['movie', { type: 'episode' }],
    ['show', { resolution: '4k' }],
    ['show', { type: 'episode', genre: 'Drama' }],
    ['movie', { type: 'collection', unwatched: true }],
    ['photo', {}],
    ['photo', { type: 'movie' }],
  ] as const) {
    expect(() => kindFor(library, query), `${library} ${JSON.stringify(query)}`).toThrow(
      expect.objectContaining({ code: 'invalid-request' }),
    )
  }
  expect(kindFor('movie', { type: 'collection', unwatched: false })).toBe('collection')
})

test('filters are said in Plex’s words', () => {
  expect(
    filterQuery(
      'movie',
      { year: 1927, resolution: 'sd', unwatched: true, addedSince: '2024-01-01T00:00:00Z' },
      '7',
    ),
  ).toEqual({
    type: '1',
    genre: '7',
    year: '1927',
    resolution: 'sd',
    unwatched: '1',
    'addedAt>>': '1704067199',
  })
  expect(filterQuery('show', { unwatched: true }, undefined)).toEqual({ type: '2', unwatchedLeaves: '1' })
  expect(filterQuery('episode', { unwatched: false }, undefined)).toEqual({ type: '4' })
  expect(filtersIn({ unwatched: false, year: 1, genre: 'x' })).toEqual(['genre', 'year'])
})

test('a show is watched when its episodes are, however often one of them was', () => {
  const unwatched = { unwatched: true }
  expect(contradictions({ viewCount: 9, leafCount: 3, viewedLeafCount: 2 }, 'show', unwatched)).toEqual([])
  expect(contradictions({ leafCount: '3', viewedLeafCount: '3' }, 'show', unwatched)).toEqual(['unwatched'])
  expect(contradictions({ leafCount: 0, viewedLeafCount: 0 }, 'season', unwatched)).toEqual([])
  expect(contradictions({ viewCount: '1' }, 'episode', unwatched)).toEqual(['unwatched'])
})

test('an item in several versions has each of their resolutions', () => {
  const Media = [{ videoResolution: '1080' }, { videoResolution: '4K' }]
  expect(contradictions({ Media }, 'movie', { resolution: '4k' })).toEqual([])
  expect(contradictions({ Media }, 'movie', { resolution: '720' })).toEqual(['resolution'])
})

test('a genre is shown, not shown, or the row says nothing of genres', () => {
  expect(genreShown({ Genre: [{ tag: 'Drama' }, { tag: 'War' }] }, 'war')).toBe('yes')
  expect(genreShown({ Genre: { tag: 'Drama' } }, 'War')).toBe('no')
  for (const row of [{}, { Genre: [] }, { Genre: [{ tag: null }, null] }])
    expect(genreShown(row, 'War')).toBe('unsaid')
  expect(genreShown({ Genre: [{ tag: 'Ko\u0308ln' }] }, 'Köln')).toBe('yes')
})

const field = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const film = fc.record({
  year: field(fc.constantFrom(1927, 1928)),
  viewCount: field(fc.constantFrom(0, 2)),
  addedAt: field(fc.constantFrom(1_700_000_000, 1_800_000_000)),
  videoResolution: field(fc.constantFrom('4k', '1080')),
})
const asked = fc.record({
  year: field(fc.constantFrom(1927, 1930)),
  unwatched: field(fc.boolean()),
  addedSince: field(fc.constantFrom('2026-01-01T00:00:00Z', '2020-01-01T00:00:00Z')),
  resolution: field(fc.constantFrom('4k' as const, '720' as const)),
})

test('numbers or their texts, a row contradicts exactly where it carries the field and says otherwise', () => {
  fc.assert(
    fc.property(film, asked, fc.boolean(), ({ videoResolution, ...rest }, filters, asText) => {
      const given = Object.entries({ ...rest }).filter(([, value]) => value !== undefined)
      const fields = Object.fromEntries(given.map(([name, value]) => [name, asText ? String(value) : value]))
      const row = { ...fields, ...(videoResolution && { Media: [{ videoResolution }] }) }
      const wanted = Object.fromEntries(
        Object.entries(filters).filter(([, value]) => value !== undefined),
      ) as ItemFilters
      const { year, viewCount, addedAt } = rest
      const expected = [
        ...(year !== undefined && filters.year !== undefined && year !== filters.year ? ['year'] : []),
        ...(videoResolution && filters.resolution && videoResolution !== filters.resolution
          ? ['resolution']
          : []),
        ...(filters.unwatched && viewCount ? ['unwatched'] : []),
        ...(filters.addedSince && addedAt !== undefined && addedAt * 1000 < Date.parse(filters.addedSince)
          ? ['addedSince']
          : []),
      ]
      expect(contradictions(row, 'movie', wanted)).toEqual(expected)
    }),
  )
})
