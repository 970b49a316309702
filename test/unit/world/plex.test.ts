import { expect, test } from 'vitest'
import * as z from 'zod'
import { asFriend, fields, rawContainer, startPlex, withQuery } from './plex-caller.ts'

test('identity needs no token, the server itself does', async () => {
  const { plex } = await startPlex()
  const json = { headers: { accept: 'application/json' } }

  const identity = await fetch(`${plex.url}/identity`, json)
  const server = await fetch(`${plex.url}/`, json)

  expect(await identity.json()).toMatchObject({
    MediaContainer: { machineIdentifier: plex.machineIdentifier },
  })
  expect(plex.machineIdentifier).toMatch(/^[0-9a-f]{40}$/)
  expect(server.status).toBe(401)
  expect(server.headers.get('content-type')).toBe('text/html')
  expect(await server.text()).toContain('<h1>401 Unauthorized</h1>')
})

test('a token may come in the query', async () => {
  const { plex } = await startPlex()
  const answer = await fetch(`${plex.url}/library/sections?X-Plex-Token=friend-token`)
  expect(answer.status).toBe(200)
})

test('answers are XML unless JSON is asked for', async () => {
  const { call } = await startPlex()
  const anything = { headers: { accept: '*/*' } }

  const sections = await (await call('/library/sections', anything)).text()
  const movies = await (await call('/library/sections/1/all?title=gromit', anything)).text()
  const shows = await (await call('/library/sections/2/all', anything)).text()

  expect(sections).toMatch(/^<\?xml .*\?>\n<MediaContainer size="3" allowSync="0"/)
  expect(sections).toContain('<Location id="1" path="/media/movies"/>')
  expect(movies).toContain('<Video ratingKey="34"')
  expect(movies).toContain('title="Wallace &amp; Gromit: A Matter of Loaf and Death"')
  expect(shows).toContain('<Directory ratingKey="41"')
})

test('a token sees the sections it was granted, and what is elsewhere is not there', async () => {
  const { call, container, grants } = await startPlex()

  const own = await container('/library/sections/', asFriend)
  const all = await container('/library/sections/all', asFriend)
  expect(fields(own.Directory, 'title')).toEqual(['TV Shows'])
  expect(fields(all.Directory, 'key')).toEqual(['2'])
  for (const hidden of [
    '/library/sections/1/all',
    '/library/metadata/1',
    '/library/metadata/1/children',
    '/library/collections/105',
  ]) {
    expect((await call(hidden, asFriend)).status, hidden).toBe(404)
  }
  expect(fields((await container('/library/metadata/1,41', asFriend)).Metadata, 'ratingKey')).toEqual(['41'])

  grants[1] = { token: 'friend-token', owner: false, sections: ['1'] }
  expect(fields((await container('/library/sections', asFriend)).Directory, 'title')).toEqual(['Movies'])
  grants.pop()
  expect((await call('/library/sections', asFriend)).status).toBe(401)
})

test('an empty list has no array', async () => {
  const { call } = await startPlex()
  const answer = await call('/library/sections/3/all')
  const MediaContainer = await rawContainer(answer)
  expect(MediaContainer['size']).toBe(0)
  expect(MediaContainer).not.toHaveProperty('Metadata')
  expect(MediaContainer).not.toHaveProperty('totalSize')
})

test('pages are cut by headers, or by both query parameters', async () => {
  const { call, container } = await startPlex()
  const target = '/library/sections/1/all'
  const whole = await container(target)
  const headers = { 'x-plex-container-start': '5', 'x-plex-container-size': '3' }
  const both = { 'X-Plex-Container-Start': '5', 'X-Plex-Container-Size': '3' }

  const byHeaders = await call(target, { headers })
  const byQuery = await container(withQuery(target, both))
  const sizeAlone = await container(withQuery(target, { 'X-Plex-Container-Size': '3' }))

  expect(byHeaders.headers.get('x-plex-container-total-size')).toBe('40')
  expect(await rawContainer(byHeaders)).toMatchObject({ size: 3, totalSize: 40, offset: 5 })
  expect(fields(byQuery.Metadata, 'ratingKey')).toEqual(fields(whole.Metadata.slice(5, 8), 'ratingKey'))
  expect(sizeAlone.Metadata).toHaveLength(40)
  expect(sizeAlone).not.toHaveProperty('totalSize')
})

test('a page of size nought only counts', async () => {
  const { container } = await startPlex()
  const count = await container('/library/sections/1/all', {
    headers: { 'x-plex-container-start': '0', 'x-plex-container-size': '0' },
  })
  expect(count).toMatchObject({ size: 0, totalSize: 40, offset: 0, Metadata: [] })
})

test('a server may give less than a page asks for', async () => {
  const { container } = await startPlex({ pageCap: 7 })
  const page = await container(
    withQuery('/library/sections/1/all', { 'X-Plex-Container-Start': '0', 'X-Plex-Container-Size': '20' }),
  )
  expect(page).toMatchObject({ size: 7, totalSize: 40 })
})

test('lists are sorted and filtered, and what is unknown is ignored', async () => {
  const { container } = await startPlex()
  const titles = async (query: Record<string, string>) =>
    fields((await container(withQuery('/library/sections/1/all', query))).Metadata, 'title')
  const genres = await container('/library/sections/1/genre')
  const horror = genres.Directory.find(({ title }) => title === 'Horror')

  expect((await titles({ sort: 'addedAt:desc' }))[0]).toBe('1917')
  expect((await titles({ sort: 'year,titleSort' })).slice(0, 2)).toEqual([
    'A Trip to the Moon',
    'The Cabinet of Dr. Caligari',
  ])
  expect(await titles({ year: '2006' })).toEqual(['300', 'Elephants Dream'])
  expect(await titles({ genre: String(horror?.['key']), resolution: '4k' })).toEqual([
    'Night of the Living Dead',
  ])
  expect(await titles({ 'addedAt>>': String(Date.UTC(2030, 0, 1) / 1000) })).toEqual(['1917'])
  expect((await titles({ unwatched: '1' })).length).toBeLessThan(40)
  for (const ignored of ['year>>', 'lastViewedAt>', 'firstCharacter', 'nonsense']) {
    expect(await titles({ [ignored]: '2010' }), ignored).toHaveLength(40)
  }
})

test('titles may be empty or look like numbers, summaries may break lines', async () => {
  const { container } = await startPlex()
  const { Metadata } = await container('/library/sections/1/all')
  expect(fields(Metadata, 'title')).toEqual(expect.arrayContaining(['', '300', '1917', '千と千尋の神隠し']))
  expect(Metadata.find(({ title }) => title === 'Metropolis')?.['summary']).toContain('\r\n')
  expect(Metadata.find(({ title }) => title === '')).not.toHaveProperty('thumb')
})

test('of several keys those that exist are answered, 404 when none does', async () => {
  const { call, container } = await startPlex()
  expect(fields((await container('/library/metadata/3,999999,5')).Metadata, 'ratingKey')).toEqual(['3', '5'])
  const missing = await call('/library/metadata/999998,999999')
  expect(missing.status).toBe(404)
  expect(await missing.text()).toBe(
    '<html><head><title>Not Found</title></head><body><h1>404 Not Found</h1></body></html>',
  )
})

test('external ids are there on request only', async () => {
  const { container } = await startPlex()
  const [plain] = (await container('/library/metadata/3')).Metadata
  const [full] = (await container('/library/metadata/3?includeGuids=1')).Metadata
  expect(plain).not.toHaveProperty('Guid')
  expect(full?.['Guid']).toEqual([
    { id: expect.stringMatching(/^imdb:\/\/tt\d+$/) },
    { id: expect.stringMatching(/^tmdb:/) },
  ])
})

test('the children of a show are its seasons below a row for all episodes', async () => {
  const { container } = await startPlex()
  const seasons = await container('/library/metadata/41/children')
  const plain = await container('/library/metadata/41/children?excludeAllLeaves=1')
  const episodes = await container(`/library/metadata/${String(seasons.Metadata[0]?.['ratingKey'])}/children`)

  expect(seasons['size']).toBe(3)
  expect(seasons.Directory).toMatchObject([
    { key: '/library/metadata/41/allLeaves', title: 'All episodes', leafCount: 14 },
  ])
  expect(fields(seasons.Metadata, 'title')).toEqual(['Season 1', 'Season 2'])
  expect(plain).toMatchObject({ size: 2, Directory: [] })
  expect(episodes['grandparentRatingKey']).toBe(41)
  expect(episodes.Metadata[0]).toMatchObject({
    grandparentRatingKey: '41',
    parentIndex: 1,
    index: 1,
    type: 'episode',
  })
  expect((await container('/library/metadata/41/allLeaves')).Metadata).toHaveLength(14)
})

test('what was added last comes first, several episodes as their season', async () => {
  const { container } = await startPlex()
  const shows = await container('/library/sections/2/recentlyAdded')
  const everything = await container('/library/recentlyAdded')
  const movies = await container('/hubs/home/recentlyAdded?type=1')

  expect(new Set(fields(shows.Metadata, 'type'))).toEqual(new Set(['season', 'episode']))
  expect(fields(everything.Metadata, 'title')[0]).toBe('1917')
  expect(everything['size']).toBe(String(everything.Metadata.length))
  expect(new Set(fields(movies.Metadata, 'type'))).toEqual(new Set(['movie']))
})

test('sessions are for the owner, and their media have quoted numbers', async () => {
  const { plex, call, container } = await startPlex()
  expect(await container('/status/sessions')).toMatchObject({ size: 0 })
  plex.setSessions([{ ratingKey: '3', user: { id: '7', title: 'Ana' }, transcoding: true }])

  const [session] = (await container('/status/sessions')).Metadata
  expect(session).toMatchObject({
    User: { id: '7', title: 'Ana' },
    Media: [{ id: expect.any(String), Part: [{ id: expect.any(String) }] }],
    TranscodeSession: { videoDecision: 'transcode' },
  })
  expect((await call('/status/sessions', asFriend)).status).toBe(401)
})

test('maintenance answers 503 in XML to everything', async () => {
  const { plex, call } = await startPlex()
  plex.setMaintenance(true)
  const answer = await call('/identity')
  expect(answer.status).toBe(503)
  expect(await answer.text()).toContain('title="Maintenance"')
  plex.setMaintenance(false)
  expect((await call('/identity')).status).toBe(200)
})

test('other processes use the same controls over HTTP', async () => {
  const { plex, container } = await startPlex()
  const control = async (name: string, body?: unknown) => {
    const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) }
    const answer: unknown = await (await fetch(`${plex.url}/__control/${name}`, init)).json()
    return answer
  }

  const { ratingKey } = z
    .object({ ratingKey: z.string() })
    .parse(await control('add-movie', { title: 'Fresh', year: 2025 }))
  expect((await container(`/library/metadata/${ratingKey}`)).Metadata).toMatchObject([
    { title: 'Fresh', year: 2025 },
  ])
  expect(await control('state')).toMatchObject({ items: { 1: 41, 2: 5, 3: 0 }, maintenance: false })
  expect(await control('remove-item', { ratingKey })).toEqual({ removed: true })
  await control('sessions', { sessions: [{ ratingKey: '1', user: { id: '7', title: 'Ana' } }] })
  expect(await container('/status/sessions')).toMatchObject({ size: 1 })
  await control('maintenance', { on: true })
  expect(await control('state')).toMatchObject({ items: { 1: 40 }, maintenance: true })
})

test('faults of the common kit apply', async () => {
  const { plex, call } = await startPlex()
  plex.fault({ kind: 'status', status: 502, path: '/library', times: 1 })
  expect((await call('/library/sections')).status).toBe(502)
  expect((await call('/library/sections')).status).toBe(200)
})

test('large libraries page quickly once they are sorted', async () => {
  const { container } = await startPlex({ itemsPerLibrary: 2000 })
  const page = await container(
    withQuery('/library/sections/2/all', {
      sort: 'addedAt:desc',
      'X-Plex-Container-Start': '1000',
      'X-Plex-Container-Size': '50',
    }),
  )
  expect(page).toMatchObject({ size: 50, totalSize: 2005 })
})
