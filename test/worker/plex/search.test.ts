import { afterEach, beforeEach, expect, test } from 'vitest'

import { SearchBody } from '../../../src/plex/search-schema.ts'
import { expectData, expectProblem, signIn } from '../support/client.ts'
import { fault, seen } from '../support/world.ts'
import { askedOfPlex, expectRefusedBeforePlex, read, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')

beforeEach(startOver)
afterEach(startOver)

const found = async (path: string, session = frank) => expectData(await read(path, session), 200, SearchBody)

test('a search finds several words, letters of any script, and nothing in what is not shared', async () => {
  const titles = async (query: string, session = frank) =>
    (await found(`/search?query=${encodeURIComponent(query)}`, session)).data.map(({ title }) => title)
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
    query: '?query=h%C3%A4xan%20%26%20X-Plex-Token%3Dx&limit=100&includeCollections=1',
  })
})

/** Plex's answer to a search: hubs of rows, each with a score. */
const answerWith = (...Hub: object[]) =>
  fault('plexUrl', {
    kind: 'wrong-types',
    path: '/hubs/search',
    body: JSON.stringify({ MediaContainer: { Hub } }),
  })
const hub = (type: string, ...found: [ratingKey: string, score: unknown, section?: unknown][]) => ({
  type,
  Metadata: found.map(([ratingKey, score, librarySectionID = 1]) => ({
    ratingKey,
    type,
    title: `No. ${ratingKey}`,
    score,
    librarySectionID,
  })),
})
const tagHub = (type: string, ...Directory: object[]) => ({ type, Directory })

test('what a search finds best comes first, whatever its kind, and each once', async () => {
  await answerWith(
    hub('show', ['3', '0.30000'], ['4', '0.20000']),
    hub('movie', ['1', '0.90000'], ['2', 0.52], ['3', '0.30000']),
    hub('collection', ['5', '0.4']),
    hub('playlist', ['6', '0.99']),
    hub('movie', ['5d7768ba96b655001fdc0408', '0.95']),
    tagHub('actor', { tag: 'nobody' }),
    { type: 'genre', size: 0 },
  )
  const { data, meta } = await found('/search?query=any&limit=4')
  expect(data.map(({ ratingKey, type }) => `${type} ${ratingKey}`)).toEqual([
    'movie 1',
    'movie 2',
    'collection 5',
    'show 3',
  ])
  expect(meta).toEqual({
    query: 'any',
    offset: 0,
    limit: 4,
    total: 5,
    groups: { movie: 2, collection: 1, show: 2, person: 1 },
  })
})

test('pages are cut from one list, and of one kind when it is asked for', async () => {
  await answerWith(hub('movie', ['1', 0.9], ['2', 0.8], ['3', 0.7]), hub('episode', ['4', 0.85], ['5', 0.75]))
  const keys = async (query: string) => {
    const { data, meta } = await found(`/search?query=any&${query}`)
    return `${data.map(({ ratingKey }) => ratingKey).join('')} of ${meta.total}`
  }
  expect(await keys('limit=2')).toBe('14 of 5')
  expect(await keys('limit=2&offset=2')).toBe('25 of 5')
  expect(await keys('limit=2&offset=4')).toBe('3 of 5')
  expect(await keys('limit=2&offset=6')).toBe(' of 5')
  expect(await keys('type=episode')).toBe('45 of 2')
  expect(await keys('type=album')).toBe(' of 0')
})

test('people are found once, for all libraries and all they did', async () => {
  const { people, meta } = await found('/search?query=halina', olivia)
  expect(people).toEqual([{ name: 'Halina Reijn', roles: ['actor'], count: 3, libraryKeys: ['1', '2'] }])
  expect(meta.groups['person']).toBe(1)
  expect((await found('/search?query=halina', fatima)).people).toEqual([
    { name: 'Halina Reijn', roles: ['actor'], count: 1, libraryKeys: ['2'] },
  ])
  const [chaplin] = (await found('/search?query=charlie')).people
  expect(chaplin).toEqual({
    name: 'Charlie Chaplin',
    roles: ['actor', 'director'],
    count: 4,
    libraryKeys: ['1'],
  })
  expect((await found('/search?query=dram', olivia)).tags).toEqual([
    { name: 'Drama', kind: 'genre', count: 7, libraryKeys: ['1', '2'] },
  ])
})

test('a collection is found like anything else', async () => {
  const { data } = await found('/search?query=animation%20night')
  expect(data.map(({ type, title }) => [type, title])).toEqual([['collection', 'Animation Night']])
  expect(data[0]?.links.web).toContain('%2Flibrary%2Fcollections%2F')
})

test('one library alone is searched by us, since Plex would only rank by it', async () => {
  const { data, people } = await found('/search?query=the&library=2', olivia)
  expect(data.length).toBeGreaterThan(0)
  expect(new Set(data.map(({ libraryKey }) => libraryKey))).toEqual(new Set(['2']))
  expect(people).toEqual([])
  expect((await found('/search?query=halina&library=1', olivia)).people).toMatchObject([
    { count: 2, libraryKeys: ['1'] },
  ])
  const asked = await askedOfPlex(async () =>
    expectProblem(await read('/search?query=the&library=2', frank), 'not-found'),
  )
  expect(asked.map(({ path }) => path)).toEqual(['/library/sections'])
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
