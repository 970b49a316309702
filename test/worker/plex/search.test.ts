import { afterEach, beforeEach, expect, test } from 'vitest'

import { signIn } from '../support/client.ts'
import { fault, seen } from '../support/world.ts'
import { askedOfPlex, expectRefusedBeforePlex, read, readFound, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')

beforeEach(startOver)
afterEach(startOver)

test('a search finds several words, letters of any script, and nothing in what is not shared', async () => {
  const titles = async (query: string, session = frank) =>
    (await readFound(`/search?query=${encodeURIComponent(query)}`, session)).data.map(({ title }) => title)
  expect(await titles('gold rush')).toEqual(['The Gold Rush'])
  expect(await titles('千と千尋')).toEqual(['千と千尋の神隠し'])
  expect(await titles('wallace & gromit')).toEqual(['Wallace & Gromit: A Matter of Loaf and Death'])
  expect(await titles('sterne über', fatima)).toEqual(['Die Sterne über Köln'])
  expect(await titles('sterne über')).toEqual([])
  expect(await titles('x')).toEqual([])
})

test('a search is sent as PMS reads it: spaces are no pluses, letters are composed, the query is its own', async () => {
  const query = 'ha\u0308xan & X-Plex-Token=x'
  await askedOfPlex(() => read(`/search?query=${encodeURIComponent(query)}&limit=7`, frank))
  const [asked] = await seen('plexUrl')
  expect(asked).toMatchObject({
    path: '/hubs/search',
    query: '?query=h%C3%A4xan%20%26%20X-Plex-Token%3Dx&limit=7',
  })
})

test('what a search finds best comes first, whatever its kind', async () => {
  const hub = (type: string, ...found: [string, string][]) => ({
    type,
    Metadata: found.map(([title, score]) => ({ ratingKey: title, type, title, score })),
  })
  const Hub = [
    hub('show', ['c', '0.30000'], ['d', '0.20000']),
    hub('movie', ['a', '0.90000'], ['b', '0.52000'], ['c', '0.30000']),
    { type: 'actor', Directory: [{ tag: 'nobody' }] },
    { type: 'genre', size: 0 },
  ]
  await fault('plexUrl', { kind: 'wrong-types', body: JSON.stringify({ MediaContainer: { Hub } }) })
  const { data, meta } = await readFound('/search?query=any&limit=3', frank)
  expect(data.map(({ title }) => title)).toEqual(['a', 'b', 'c'])
  expect(meta.count).toBe(3)
})

for (const query of ['', '   ', 'x'.repeat(201)]) {
  test(`a search for ${query.length} times ${JSON.stringify(query.slice(0, 1))} is refused before Plex is asked`, async () => {
    await expectRefusedBeforePlex(
      () => read(`/search?query=${encodeURIComponent(query)}`, frank),
      'invalid-request',
    )
    await expectRefusedBeforePlex(() => read('/search', frank), 'invalid-request')
  })
}

test('what is new comes from all libraries of the caller by time, none of it from tomorrow', async () => {
  const { data } = await readFound('/recently-added?limit=100', fatima)
  const shows = data.filter(({ libraryKey }) => libraryKey === '2')
  expect(shows.length).toBeGreaterThan(0)
  expect(shows.every(({ type }) => type === 'episode')).toBe(true)
  // Other tests put films there, which she may see too.
  expect(data.filter(({ libraryKey }) => libraryKey !== '2' && libraryKey !== '3')).toEqual([])
  const { data: all } = await readFound('/recently-added?limit=100', olivia)
  const times = all.map(({ addedAt }) => addedAt ?? '')
  expect(times).toEqual(times.toSorted().toReversed())
  expect(new Set(all.map(({ libraryKey }) => libraryKey)).isSupersetOf(new Set(['1', '2']))).toBe(true)
  const [first] = all
  expect(first?.title).toBe('1917')
  expect(Date.parse(first?.addedAt ?? '')).toBeLessThanOrEqual(Date.now())
  expect((await readFound('/recently-added', olivia)).meta.count).toBe(20)
})

test('a library that goes while what is new is gathered is left out', async () => {
  await fault('plexUrl', { kind: 'status', status: 404, path: '/sections/1/all' })
  const { data } = await readFound('/recently-added', olivia)
  const libraries = new Set(data.map(({ libraryKey }) => libraryKey))
  expect([libraries.has('1'), libraries.has('2')]).toEqual([false, true])
})
