import { afterEach, beforeEach, expect, test } from 'vitest'

import { RecentBody, type Item } from '../../../src/plex/schema.ts'
import { expectData, expectProblem, signIn } from '../support/client.ts'
import { control, fault, seen } from '../support/world.ts'
import { askedOfPlex, expectRefusedBeforePlex, read, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')

beforeEach(startOver)
afterEach(startOver)

const newest = async (query: string, session = olivia) =>
  expectData(await read(`/recently-added?${query}`, session), 200, RecentBody)

async function walk(query: string, session = olivia): Promise<Item[]> {
  const items: Item[] = []
  for (let before = ''; ;) {
    const page = await newest(`${query}${before && `&before=${before}`}`, session)
    items.push(...page.data)
    if (page.meta.before === undefined) return items
    before = page.meta.before
  }
}

test('what is new comes from all libraries of the caller by time, none of it from tomorrow', async () => {
  const { data, meta } = await newest('limit=100')
  const times = data.map(({ addedAt }) => addedAt ?? '')
  expect(times).toEqual(times.toSorted().toReversed())
  expect(new Set(data.map(({ libraryKey }) => libraryKey))).toEqual(new Set(['1', '2']))
  expect(data[0]?.title).toBe('1917')
  expect(Date.parse(data[0]?.addedAt ?? '')).toBeLessThanOrEqual(Date.now())
  expect(data.at(-1)).toMatchObject({ title: 'M' })
  expect(data.at(-1)?.addedAt).toBeUndefined()
  expect(meta).toEqual({ count: data.length })
  expect((await newest('')).meta.count).toBe(20)
})

test('episodes that came together are one season, which says how many they are', async () => {
  const { data } = await newest('limit=100', fatima)
  expect(data.filter(({ type }) => type === 'season')).toHaveLength(9)
  expect(data).toHaveLength(10)
  const first = data.find(({ parentTitle }) => parentTitle === '1899')
  expect(first).toMatchObject({ type: 'season', title: 'Season 1', index: 1, episodes: 8, libraryKey: '2' })
  expect(first?.images?.poster).toMatch(/^\/api\/plex\/images\//)
  const alone = data.find(({ type }) => type === 'episode')
  expect(alone).toMatchObject({ grandparentTitle: 'Die Sterne über Köln', parentTitle: 'Season 3' })
  expect(alone?.episodes).toBeUndefined()
  const season = await read(`/items/${first?.ratingKey}`, fatima)
  expect(season.status).toBe(200)
})

test('page by page it is the same as in one go, whatever the size of a page', async () => {
  const whole = (await newest('limit=100')).data.map(({ ratingKey }) => ratingKey)
  for (const limit of [1, 3, 7, 20]) {
    expect(
      (await walk(`limit=${limit}`)).map(({ ratingKey }) => ratingKey),
      `${limit}`,
    ).toEqual(whole)
    await startOver()
  }
})

test('a page asks Plex for what is older, by its number', async () => {
  await askedOfPlex(() => newest('limit=3&library=1&before=2024-01-15T00:00:00.500Z'))
  const asked = (await seen('plexUrl')).filter(({ path }) => path.endsWith('/all'))
  expect(asked).toHaveLength(1)
  const query = new URLSearchParams(asked[0]?.query)
  expect(Object.fromEntries(query)).toEqual({ type: '1', sort: 'addedAt:desc', 'addedAt<<': '1705276801' })
})

test('where Plex ignores that it is to be older, nothing newer is shown all the same', async () => {
  const rows = Array.from({ length: 10 }, (_, i) => ({
    ratingKey: `${i}`,
    type: 'movie',
    addedAt: 1_000_000 - i,
  }))
  const body = JSON.stringify({ MediaContainer: { size: 10, totalSize: 10, Metadata: rows } })
  await fault('plexUrl', { kind: 'wrong-types', path: '/sections/1/all', body })
  const before = new Date((1_000_000 - 6) * 1000).toISOString()
  const { data } = await newest(`library=1&before=${before}`)
  expect(data.map(({ ratingKey }) => ratingKey)).toEqual(['7', '8', '9'])
})

test('what was added in one second stays on one page', async () => {
  const added = await Promise.all(
    ['A', 'B', 'C'].map((title) =>
      control('plexUrl', 'add-movie', { title, sectionKey: '3', addedAt: 1_800_000_000 }),
    ),
  )
  try {
    const first = await newest('library=3&limit=1')
    expect(first.data).toHaveLength(3)
    expect(first.meta.before).toBeUndefined()
  } finally {
    for (const item of added) await control('plexUrl', 'remove-item', item)
  }
})

test('one library alone, when it is asked for, and only one of the caller’s', async () => {
  const { data } = await newest('library=2&limit=5')
  expect(new Set(data.map(({ libraryKey }) => libraryKey))).toEqual(new Set(['2']))
  await expectProblem(await read('/recently-added?library=2', frank), 'not-found')
})

test('a library that goes while what is new is gathered is left out', async () => {
  await fault('plexUrl', { kind: 'status', status: 404, path: '/sections/1/all' })
  const { data } = await newest('')
  expect(new Set(data.map(({ libraryKey }) => libraryKey))).toEqual(new Set(['2']))
})

for (const query of [
  'before=yesterday',
  'before=1700000000',
  'library=x',
  'library=1/2',
  'limit=101',
  'type=1',
]) {
  test(`?${query} is refused before Plex is asked`, async () => {
    await expectRefusedBeforePlex(() => read(`/recently-added?${query}`, frank), 'invalid-request')
  })
}
