import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'

import { Item, Server } from '../../../src/plex/schema.ts'
import { ask, expectData, expectProblem, signIn } from '../support/client.ts'
import { control, fault, world } from '../support/world.ts'
import { askedOfPlex, expectRefusedBeforePlex, Libraries, read, readItems, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')

beforeEach(startOver)
afterEach(startOver)

test('the server says who it is, to a friend as well', async () => {
  const { data } = await expectData(await read('/server', frank), 200, z.object({ data: Server }))
  expect(data).toMatchObject({
    name: 'Harbour House',
    machineIdentifier: world.machineIdentifier,
    platform: 'Linux',
    updatedAt: '2026-01-01T00:00:00.000Z',
  })
})

test('each sees the libraries shared with them, and only an admin where they are on the disk', async () => {
  const libraries = async (session: typeof olivia) =>
    (await expectData(await read('/libraries', session), 200, Libraries)).data
  const [all, franks] = [await libraries(olivia), await libraries(frank)]
  expect(all.map(({ key, title, type }) => [key, title, type])).toEqual([
    ['1', 'Movies', 'movie'],
    ['2', 'TV Shows', 'show'],
    ['3', 'YouTube', 'movie'],
  ])
  expect(all.map(({ locations }) => locations)).toEqual([
    ['/media/movies'],
    ['/media/tv'],
    [world.youtubeFolder],
  ])
  expect(franks.map(({ key }) => key)).toEqual(['1', '3'])
  expect(franks.some((library) => 'locations' in library)).toBe(false)
})

test('a library is read page by page, each row once', async () => {
  const keys: string[] = []
  const { meta } = await readItems('/libraries/1/items?limit=1', frank)
  for (let offset = 0; offset < meta.total; offset += 16) {
    const page = await readItems(`/libraries/1/items?offset=${offset}&limit=16`, frank)
    expect(page.meta).toEqual({ offset, limit: 16, total: meta.total })
    keys.push(...page.data.map(({ ratingKey }) => ratingKey))
  }
  expect(meta.total).toBeGreaterThanOrEqual(40)
  expect(keys).toHaveLength(meta.total)
  expect(new Set(keys).size).toBe(meta.total)
})

test('a page has fifty rows unless it is said otherwise, and one past the end has none', async () => {
  expect((await readItems('/libraries/1/items', frank)).meta).toMatchObject({ offset: 0, limit: 50 })
  const beyond = await readItems('/libraries/1/items?offset=5000', frank)
  expect(beyond.data).toEqual([])
  expect(beyond.meta.total).toBeGreaterThanOrEqual(40)
})

test('an answer that came whole although a page was asked for is cut to the page', async () => {
  const rows = Array.from({ length: 30 }, (_, i) => ({ ratingKey: String(i), title: `No. ${i}` }))
  const body = JSON.stringify({ MediaContainer: { size: 30, Metadata: rows } })
  await fault('plexUrl', { kind: 'wrong-types', path: '/all$', body })
  const { data, meta } = await readItems('/libraries/1/items?offset=10&limit=5', frank)
  expect(data.map(({ ratingKey }) => ratingKey)).toEqual(['10', '11', '12', '13', '14'])
  expect(meta.total).toBe(30)
})

for (const query of [
  'offset=-1',
  'offset=1.5',
  'offset=abc',
  'offset=99999999999',
  'limit=0',
  'limit=101',
  'limit=abc',
  'limit=',
  'limit=1&limit=2',
  'unknown=1',
  'X-Plex-Token=stolen',
]) {
  test(`?${query} is refused before Plex is asked`, async () => {
    await expectRefusedBeforePlex(() => read(`/libraries/1/items?${query}`, frank), 'invalid-request')
    await expectRefusedBeforePlex(() => read(`/items/1/children?${query}`, frank), 'invalid-request')
  })
}

for (const path of [
  '/libraries/abc/items',
  '/libraries/1%2F..%2F2/items',
  '/libraries/-1/items',
  '/items/1,2',
  '/items/1%3Fx',
  '/items/%2e%2e/children',
  '/search?query=x&sectionId=1',
  '/server?x=1',
  '/recently-added?limit=0',
]) {
  test(`${path} is refused before Plex is asked`, async () => {
    const response = await read(path, frank)
    expect([400, 404]).toContain(response.status)
    await askedOfPlex(() => read(path, frank)).then((asked) => expect(asked).toEqual([]))
  })
}

test('what is not shared is not there: items, children and libraries', async () => {
  const { data: shows } = await readItems('/libraries/2/items', olivia)
  const show = shows[0]?.ratingKey ?? ''
  expect((await read(`/items/${show}`, fatima)).status).toBe(200)
  for (const path of [
    `/items/${show}`,
    `/items/${show}/children`,
    '/libraries/2/items',
    '/libraries/999/items',
  ]) {
    await expectProblem(await read(path, frank), 'not-found')
  }
  await expectProblem(await read('/items/999999999', olivia), 'not-found')
})

test('an item says what is known of it, and to an admin alone where its file is', async () => {
  const itemOf = async (session: typeof olivia) => {
    const { data } = await readItems('/libraries/1/items', session)
    const { ratingKey } = data.find(({ title }) => title === 'Metropolis') ?? { ratingKey: '' }
    const response = await read(`/items/${ratingKey}`, session)
    return {
      text: await response.clone().text(),
      ...(await expectData(response, 200, z.object({ data: Item }))),
    }
  }
  const [admins, franks] = [await itemOf(olivia), await itemOf(frank)]
  expect(franks.data).toMatchObject({
    type: 'movie',
    title: 'Metropolis',
    year: 1927,
    libraryKey: '1',
    durationMs: 153 * 60_000,
    genres: ['Science Fiction', 'Drama'],
    summary: 'A city of two levels.\r\n\r\nAbove, the gardens; below, the machines.',
    url: `https://app.plex.tv/desktop/#!/server/${world.machineIdentifier}/details?key=%2Flibrary%2Fmetadata%2F${franks.data.ratingKey}`,
  })
  expect(admins.data.media?.[0]?.file).toBe('/media/movies/Metropolis (1927)/Metropolis (1927).mkv')
  expect(franks.data.media?.[0]).toMatchObject({ resolution: '1080', container: 'mkv' })
  expect(franks.text).not.toContain('/media/')
  expect(`${admins.text}${franks.text}`).not.toContain('null')
})

test('a show has its seasons without the row for all episodes, a season its episodes', async () => {
  const { data: shows } = await readItems('/libraries/2/items', fatima)
  const show = shows.find(({ title }) => title === 'The Lighthouse Keepers')
  const seasons = await readItems(`/items/${show?.ratingKey}/children`, fatima)
  expect(seasons.data.map(({ title, type, index }) => [title, type, index])).toEqual([
    ['Season 1', 'season', 1],
    ['Season 2', 'season', 2],
  ])
  expect(seasons.meta.total).toBe(2)
  const episodes = await readItems(`/items/${seasons.data[0]?.ratingKey}/children?offset=6&limit=5`, fatima)
  expect(episodes.data.map(({ index, parentTitle }) => [index, parentTitle])).toEqual([
    [7, 'Season 1'],
    [8, 'Season 1'],
  ])
  expect(episodes.meta).toEqual({ offset: 6, limit: 5, total: 8 })
})

test('health is open to all, and says more to who is signed in', async () => {
  await control('plexUrl', 'maintenance', { on: true })
  try {
    const bodies = await Promise.all(
      [undefined, frank.accessToken, olivia.accessToken].map(async (token) =>
        (await ask('GET', '/api/plex/health', { token })).json(),
      ),
    )
    expect(bodies).toEqual([
      { data: { status: 'degraded' } },
      { data: { status: 'degraded', latencyMs: expect.any(Number) } },
      {
        data: {
          status: 'degraded',
          latencyMs: expect.any(Number),
          cause: 'maintenance',
          cache: expect.objectContaining({ hours: 24, reads: expect.any(Number) }),
        },
      },
    ])
  } finally {
    await control('plexUrl', 'maintenance', { on: false })
  }
})
