import fc from 'fast-check'
import { expect, test } from 'vitest'

import { countBy, mergeGenres, mergePeople, rankedRows } from '../../../src/plex/search-results.ts'

const person = (tag: string, rest: object = {}) => ({
  tag,
  tagKey: tag,
  count: 1,
  librarySectionID: 1,
  ...rest,
})

test('people of one key are one, and without a key those of one name', () => {
  const hubs = [
    {
      type: 'actor',
      Directory: [
        person('Ada Quill', { librarySectionID: 2, count: 3 }),
        person('Ada Quill', { librarySectionID: '1', count: '2' }),
        { tag: 'JOSÉ', librarySectionID: 1 },
        { tag: 'Jose\u0301', librarySectionID: 1 },
        person('Ada Quill', { tagKey: 'another of that name', score: '0.1' }),
        { count: 5 },
        null,
      ],
    },
    { type: 'director', Directory: person('Ada Quill') },
  ]
  expect(mergePeople(hubs)).toEqual([
    { name: 'Ada Quill', roles: ['actor'], count: 1, libraryKeys: ['1'] },
    { name: 'Ada Quill', roles: ['actor', 'director'], count: 6, libraryKeys: ['1', '2'] },
    { name: 'JOSÉ', roles: ['actor'], count: 2, libraryKeys: ['1'] },
  ])
})

test('a library that is searched alone counts what is in it alone', () => {
  const hubs = [
    {
      type: 'genre',
      Directory: [
        { tag: 'Drama', count: 3, librarySectionID: 1 },
        { tag: 'Drama', count: 5, librarySectionID: 2 },
      ],
    },
  ]
  expect(mergeGenres(hubs)).toEqual([{ name: 'Drama', kind: 'genre', count: 8, libraryKeys: ['1', '2'] }])
  expect(mergeGenres(hubs, '2')).toEqual([{ name: 'Drama', kind: 'genre', count: 5, libraryKeys: ['2'] }])
})

test('a row that does not say its library is in none that is searched alone', () => {
  expect(rankedRows([{ type: 'movie', Metadata: [{ ratingKey: '1' }] }], '1')).toEqual([])
})

const score = fc.oneof(
  fc.double({ min: 0, max: 1, noNaN: true }),
  fc.integer({ min: 0, max: 99_999 }).map((n) => (n / 100_000).toFixed(5)),
)
const hub = fc.record({
  type: fc.constantFrom('movie', 'show', 'playlist', 'actor', 'genre'),
  Metadata: fc.array(
    fc.record({ ratingKey: fc.nat(), score, librarySectionID: fc.constantFrom(1, '1', 2) }),
    { maxLength: 6 },
  ),
})

test('the ranked list has every row of the hubs of items, each as good as the next or better', () => {
  fc.assert(
    fc.property(
      fc.array(hub, { maxLength: 5 }),
      fc.option(fc.constantFrom('1', '2'), { nil: undefined }),
      (hubs, library) => {
        const ranked = rankedRows(hubs, library)
        const expected = hubs
          .filter(({ type }) => type === 'movie' || type === 'show')
          .flatMap(({ Metadata }) => Metadata)
          .filter((row) => library === undefined || String(row.librarySectionID) === library)
        expect(new Set(ranked)).toEqual(new Set(expected))
        expect(ranked).toHaveLength(expected.length)
        const scores = ranked.map((row) => Number(row['score']))
        expect(scores).toEqual(scores.toSorted((a, b) => b - a))
      },
    ),
  )
})

test('whatever the hubs hold, they are read', () => {
  const anyHub = fc.dictionary(
    fc.constantFrom('type', 'Metadata', 'Directory'),
    fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.constantFrom('actor', 'genre', 'movie')),
  )
  fc.assert(
    fc.property(fc.array(anyHub), (hubs) => {
      rankedRows(hubs)
      mergePeople(hubs)
      mergeGenres(hubs, '1')
    }),
  )
})

test('counts are by name', () => {
  expect(countBy(['movie', 'show', 'movie', '__proto__'])).toEqual({ movie: 2, show: 1, ['__proto__']: 1 })
})
