import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'

import { isRow } from '../../../src/plex/container.ts'
import { linksTo } from '../../../src/plex/links.ts'
import { filesOf, parseItems, parseLibraries } from '../../../src/plex/parse.ts'
import { Item, Library } from '../../../src/plex/schema.ts'

const now = Date.UTC(2026, 0, 1)
const admin = { now, paths: true, machineIdentifier: 'abc123' }
const friend = { ...admin, paths: false }

test('a collection whose numbers are text reads like one whose numbers are numbers', () => {
  const [item] = parseItems(
    {
      Metadata: [
        { ratingKey: 161, type: 'collection', title: 'X', childCount: '3', index: 395, year: '2006' },
      ],
    },
    friend,
  )
  expect(item).toMatchObject({ ratingKey: '161', childCount: 3, index: 395, year: 2006 })
})

test('nulls and missing fields are left out, never passed on', () => {
  const row = { ratingKey: '1', type: null, title: null, summary: null, year: null, Genre: null, Media: null }
  const [item] = parseItems({ Metadata: [row] }, admin)
  const links = linksTo('abc123', '1')
  expect(item).toEqual({ ratingKey: '1', type: 'unknown', title: '', links, url: links.web })
  expect(JSON.stringify(item)).not.toContain('null')
})

test('a title may be empty or look like a number, and a summary keeps its line ends', () => {
  const rows = ['', '300', 1917].map((title, index) => ({
    ratingKey: String(index),
    title,
    summary: 'a\r\nb',
  }))
  const items = parseItems({ Metadata: rows }, friend)
  expect(items.map(({ title }) => title)).toEqual(['', '300', '1917'])
  expect(items[0]?.summary).toBe('a\r\nb')
})

test('a container may hold a single row as an object, or none at all', () => {
  expect(parseItems({ size: '1', Metadata: { ratingKey: '5', title: 'One' } }, friend)).toHaveLength(1)
  expect(parseItems({ size: 0 }, friend)).toEqual([])
  expect(
    parseItems({ size: 9, Metadata: [{ ratingKey: '5' }, {}, null, { ratingKey: '' }] }, friend),
  ).toHaveLength(1)
})

test('rows learn their library from the container, unless they say it themselves', () => {
  const container = {
    librarySectionID: 1,
    Metadata: [{ ratingKey: '5' }, { ratingKey: '6', librarySectionID: '2' }],
  }
  expect(parseItems(container, friend).map(({ libraryKey }) => libraryKey)).toEqual(['1', '2'])
})

test('the row that stands for all episodes is no season', () => {
  const container = {
    size: 3,
    Directory: [{ key: '/library/metadata/22/allLeaves', title: 'All episodes' }],
    Metadata: [
      { ratingKey: '23', type: 'season', title: 'Season 1' },
      { ratingKey: '24', type: 'season', title: 'Season 2' },
    ],
  }
  expect(parseItems(container, friend).map(({ title }) => title)).toEqual(['Season 1', 'Season 2'])
})

test('paths on the disk are for admins', () => {
  const items = {
    Metadata: [{ ratingKey: '1', Media: [{ id: 3, Part: [{ file: '/media/a.mkv', size: '10' }] }] }],
  }
  const libraries = {
    Directory: [{ key: '1', type: 'movie', title: 'Movies', Location: [{ path: '/media' }] }],
  }
  expect(parseItems(items, admin)[0]?.media).toEqual([{ id: '3', bytes: 10, file: '/media/a.mkv' }])
  expect(parseLibraries(libraries, admin)[0]?.locations).toEqual(['/media'])
  expect(JSON.stringify([parseItems(items, friend), parseLibraries(libraries, friend)])).not.toContain(
    '/media',
  )
})

test('a library whose key cannot be asked for is no library', () => {
  const keys = ['1', 2, '../3', '/library/sections/4', '', null, '5?x=1']
  const libraries = parseLibraries({ Directory: keys.map((key) => ({ key, type: 'movie' })) }, friend)
  expect(libraries.map(({ key }) => key)).toEqual(['1', '2'])
})

test('every version and part of an item is a file of it', () => {
  const Metadata = [
    { ratingKey: 1, Media: [{ Part: [{ file: '/a1' }, { file: '/a2' }] }, { Part: { file: '/a3' } }] },
    { ratingKey: 2, Media: [{ Part: [{}] }] },
    { Media: [{ Part: [{ file: '/nobody' }] }] },
  ]
  expect(filesOf({ Metadata })).toEqual([
    { file: '/a1', ratingKey: '1' },
    { file: '/a2', ratingKey: '1' },
    { file: '/a3', ratingKey: '1' },
  ])
})

const names = [
  'ratingKey',
  'key',
  'title',
  'type',
  'year',
  'addedAt',
  'rating',
  'Genre',
  'Media',
  'Part',
  'file',
  'tag',
]
const oddRow = fc.dictionary(
  fc.constantFrom(...names, 'librarySectionID', 'updatedAt', 'Location', 'path', 'refreshing', 'duration'),
  fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.nat(), fc.nat().map(String)),
)
const container = fc.record({
  librarySectionID: fc.jsonValue({ maxDepth: 1 }),
  Metadata: fc.oneof(fc.array(oddRow), oddRow, fc.jsonValue({ maxDepth: 3 })),
  Directory: fc.oneof(fc.array(oddRow), oddRow, fc.jsonValue({ maxDepth: 3 })),
})

test('whatever PMS sends, what comes out is of our own shape', () => {
  fc.assert(
    fc.property(container, fc.boolean(), (value, paths) => {
      const view = { ...admin, paths }
      z.array(Item).parse(JSON.parse(JSON.stringify(parseItems(value, view))))
      z.array(Library).parse(JSON.parse(JSON.stringify(parseLibraries(value, view))))
      filesOf(value)
    }),
    { numRuns: 500 },
  )
})

test('any JSON at all is survived', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      if (!isRow(value)) return
      parseItems(value, admin)
      parseLibraries(value, admin)
      filesOf(value)
    }),
  )
})
