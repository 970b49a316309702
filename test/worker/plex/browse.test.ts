import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'

import { Item, ItemsBody, LibrariesBody } from '../../../src/plex/schema.ts'
import { expectData, expectProblem, signIn } from '../support/client.ts'
import { fault, seen, world } from '../support/world.ts'
import { askedOfPlex, expectRefusedBeforePlex, read, readFound, readItems, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')

beforeEach(startOver)
afterEach(startOver)

const listed = async (path: string, session = olivia) => expectData(await read(path, session), 200, ItemsBody)
const titles = async (path: string, session = olivia) =>
  (await listed(path, session)).data.map(({ title }) => title)

test('libraries say how many they hold, by calls that fetch no row', async () => {
  const { data } = await expectData(await read('/libraries', olivia), 200, LibrariesBody)
  for (const { key, count } of data) {
    expect(count, key).toBe((await listed(`/libraries/${key}/items?limit=1`)).meta.total)
  }
  await startOver()
  const asked = await askedOfPlex(() => read('/libraries', frank))
  expect(asked.map(({ path }) => path)).toEqual([
    '/library/sections',
    '/library/sections/1/all',
    '/library/sections/3/all',
  ])
})

test('a library that will not be counted is shown without a count', async () => {
  await fault('plexUrl', { kind: 'html', path: '/sections/1/all' })
  const { data } = await expectData(await read('/libraries', olivia), 200, LibrariesBody)
  expect(data.map(({ key, count }) => [key, typeof count])).toEqual([
    ['1', 'undefined'],
    ['2', 'number'],
    ['3', 'number'],
  ])
})

const year = (item: Item) => item.year
const cases: readonly [string, (item: Item) => boolean, number][] = [
  ['/libraries/1/items?year=1928', (item) => item.year === 1928, 2],
  ['/libraries/1/items?resolution=4k', (item) => item.media?.[0]?.resolution === '4k', 8],
  ['/libraries/1/items?genre=documentary', (item) => item.genres?.includes('Documentary') ?? false, 3],
  ['/libraries/1/items?unwatched=true', (item) => item.viewCount === undefined, 33],
  [
    '/libraries/1/items?addedSince=2024-02-06T00:00:00Z',
    (item) => (item.addedAt ?? '') >= '2024-02-06T00:00:00.000Z',
    4,
  ],
  [
    '/libraries/1/items?genre=Comedy&year=1928&unwatched=1',
    (item) => item.title === 'Steamboat Bill, Jr.',
    1,
  ],
  ['/libraries/2/items?genre=Mystery', (item) => item.type === 'show', 2],
  ['/libraries/2/items?type=episode&year=2015', (item) => item.type === 'episode', 8],
  ['/libraries/2/items?type=season', (item) => item.type === 'season', 10],
  ['/libraries/2/items?unwatched=true', (item) => item.leafCount !== item.viewedLeafCount, 5],
  ['/libraries/1/items?type=collection', (item) => item.type === 'collection', 1],
]
for (const [path, holds, total] of cases) {
  test(`${path} lists what fits, and counts it`, async () => {
    const { data, meta } = await listed(`${path}&limit=100`)
    expect(meta).toEqual({ offset: 0, limit: 100, total })
    expect(data).toHaveLength(total)
    expect(data.filter((item) => !holds(item))).toEqual([])
  })
}

test('what was added in the very second that is asked for is among it', async () => {
  const since = async (instant: string) =>
    (await listed(`/libraries/1/items?addedSince=${instant}`)).meta.total
  expect(await since('2024-02-09T00:00:00Z')).toBe(2)
  expect(await since('2024-02-09T00:00:00.001Z')).toBe(1)
  expect(await since(encodeURIComponent('2024-02-09T01:00:00+01:00'))).toBe(2)
})

test('a genre is found whatever its case, and of one that there is not there is nothing', async () => {
  expect(await titles('/libraries/1/items?genre=WAR')).toEqual(['1917'])
  const { data, meta } = await listed('/libraries/1/items?genre=Noir')
  expect([data, meta.total]).toEqual([[], 0])
})

test('lists are sorted as asked, either way', async () => {
  const years = async (order: string) => (await listed(`/libraries/1/items?sort=year:${order}&limit=3`)).data
  expect((await years('asc')).map(year)).toEqual([1902, 1920, 1921])
  expect((await years('desc')).map(year)).toEqual([2019, 2019, 2015])
  expect((await titles('/libraries/1/items?sort=titleSort:desc'))[0]).toBe('千と千尋の神隠し')
})

test('filters and sorting keep their pages apart in the cache', async () => {
  const first = await titles('/libraries/1/items?limit=1&year=1927')
  const second = await titles('/libraries/1/items?limit=1&year=1927&offset=1')
  const other = await titles('/libraries/1/items?limit=1&year=1927&sort=titleSort:desc')
  expect([first, second, other]).toEqual([['Metropolis'], ['Sunrise'], ['Sunrise']])
})

/** Plex's answer to a list, whatever was asked of it. */
const answerAll = (Metadata: unknown[]) =>
  fault('plexUrl', {
    kind: 'wrong-types',
    path: '/sections/1/all',
    body: JSON.stringify({ MediaContainer: { size: Metadata.length, totalSize: 40, Metadata } }),
  })
const row = (ratingKey: string, rest: object) => ({ ratingKey, type: 'movie', title: ratingKey, ...rest })

test('a filter that Plex ignores lets nothing through that says otherwise, and is named', async () => {
  await answerAll([
    row('1', { year: 1927, viewCount: 2, Media: [{ videoResolution: '1080' }], addedAt: 1_700_000_000 }),
    row('2', { year: '1928', addedAt: '1800000000', Media: [{ videoResolution: '4k' }] }),
    row('3', { year: 1927 }),
    row('4', { year: 1927, type: 'collection' }),
  ])
  const ask = async (query: string) => {
    const { data, meta } = await listed(`/libraries/1/items?${query}`)
    return [data.map(({ ratingKey }) => ratingKey).join(), meta.ignoredFilters, meta.total]
  }
  expect(await ask('year=1927')).toEqual(['1,3', ['type', 'year'], 40])
  expect(await ask('resolution=4k')).toEqual(['2,3', ['resolution', 'type'], 40])
  expect(await ask('unwatched=true')).toEqual(['2,3', ['type', 'unwatched'], 40])
  expect(await ask('addedSince=2026-01-01T00:00:00Z')).toEqual(['2,3', ['addedSince', 'type'], 40])
})

test('a listing that names few genres of an item is no proof against it: the item itself is asked', async () => {
  const { data } = await listed('/libraries/1/items?genre=Mystery')
  const [one] = data
  expect(one?.genres).toContain('Mystery')
  const other = (await listed('/libraries/1/items?genre=War')).data[0]
  await startOver()
  await answerAll([
    row(one?.ratingKey ?? '', { Genre: [{ tag: 'Horror' }] }),
    row(other?.ratingKey ?? '', { Genre: [{ tag: 'Drama' }] }),
    row('999999', {}),
  ])
  const found = await listed('/libraries/1/items?genre=Mystery')
  expect(found.data.map(({ ratingKey }) => ratingKey)).toEqual([one?.ratingKey, '999999'])
  expect(found.meta.ignoredFilters).toEqual(['genre'])
})

for (const query of [
  'type=episode',
  'type=photo',
  'sort=random',
  'sort=year:up',
  'sort=year,titleSort',
  'year=19x',
  'resolution=8k',
  'resolution=1080,4k',
  'unwatched=maybe',
  'addedSince=yesterday',
  'addedSince=1700000000',
  'genre=',
  'type=collection&year=1999',
  'viewCount=1',
]) {
  test(`?${query} is refused, and no list is asked for`, async () => {
    const asked = await askedOfPlex(async () =>
      expectProblem(await read(`/libraries/1/items?${query}`, frank), 'invalid-request'),
    )
    expect(asked.filter(({ path }) => path.endsWith('/all'))).toEqual([])
  })
}

test('a refusal by the kind of library says what does not fit', async () => {
  const { errors } = await expectProblem(
    await read('/libraries/2/items?resolution=4k', olivia),
    'invalid-request',
  )
  expect(errors).toEqual([{ pointer: 'query#/resolution', detail: 'says nothing of a show' }])
  await expectProblem(await read('/libraries/2/items?year=2014', frank), 'not-found')
})

test('what is asked of Plex is made of its own words alone', async () => {
  const path = '/libraries/1/items?genre=War&unwatched=1&resolution=4k&sort=addedAt:desc'
  await askedOfPlex(() => read(path, frank))
  const [, , asked] = await seen('plexUrl')
  const query = new URLSearchParams(asked?.query)
  expect([...query.keys()].toSorted()).toEqual([
    'genre',
    'includeCollections',
    'resolution',
    'sort',
    'type',
    'unwatched',
  ])
  expect(query.get('genre')).toMatch(/^\d+$/)
})

const One = z.object({ data: Item })
const itemTitled = async (title: string, session = olivia) => {
  const { data } = await readItems('/libraries/1/items?limit=100', session)
  const { ratingKey } = data.find((item) => item.title === title) ?? { ratingKey: '' }
  return (await expectData(await read(`/items/${ratingKey}`, session), 200, One)).data
}

test('an item names itself as other catalogues do, by new ids and those of old', async () => {
  const { externalIds, links, ratingKey } = await itemTitled('Metropolis', frank)
  expect(externalIds).toEqual({
    imdb: expect.stringMatching(/^tt\d+$/),
    tmdb: expect.stringMatching(/^\d+$/),
  })
  expect(links.app).toBe(
    `plex://preplay/?metadataKey=%2Flibrary%2Fmetadata%2F${ratingKey}&server=${world.machineIdentifier}`,
  )
  expect((await itemTitled('The Kid')).externalIds?.imdb).toMatch(/^tt\d+$/)
})

test('what is related shares something with it, and is not itself', async () => {
  const item = await itemTitled('Nosferatu')
  const { data, meta } = await readFound(`/items/${item.ratingKey}/related?limit=4`, frank)
  expect(data).toHaveLength(4)
  expect(meta.count).toBe(4)
  expect(data.every(({ genres }) => genres?.includes('Horror'))).toBe(true)
  expect(data.map(({ ratingKey }) => ratingKey)).not.toContain(item.ratingKey)
  await expectProblem(await read(`/items/${item.ratingKey}/related`, fatima), 'not-found')
  await expectRefusedBeforePlex(() => read('/items/1/related?limit=0', frank), 'invalid-request')
})

test('what a hub shows from elsewhere on the net is none of this server', async () => {
  const Metadata = [
    { ratingKey: '5d7768ba96b655001fdc0408', title: 'Elsewhere' },
    { ratingKey: '7', title: 'Here' },
  ]
  const body = JSON.stringify({ MediaContainer: { Hub: [{ Metadata }, { Metadata }, { size: 0 }, null] } })
  await fault('plexUrl', { kind: 'wrong-types', path: '/related', body })
  const { data } = await readFound('/items/1/related', frank)
  expect(data.map(({ title }) => title)).toEqual(['Here'])
})

test('on deck is what each has begun, in libraries of theirs', async () => {
  const { data, meta } = await readFound('/on-deck', frank)
  expect(data.map(({ title }) => title)).toEqual(['', 'The Little Shop of Horrors', 'Safety Last!'])
  expect(meta.count).toBe(data.length)
  expect(data.every(({ viewOffsetMs }) => viewOffsetMs === 600_000)).toBe(true)
  expect((await readFound('/on-deck?limit=1', frank)).data).toHaveLength(1)
  expect((await readFound('/on-deck', fatima)).data).toEqual([])
})
