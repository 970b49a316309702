import { env } from 'cloudflare:workers'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'

import { askUnder } from '../support/app.ts'
import { ask, expectData, freshAddress, signIn } from '../support/client.ts'
import { requestFor, routes, type Example } from '../support/operations.ts'
import { examples } from '../access/examples.ts'
import { read, readItems, startOver } from './support.ts'

const olivia = await signIn('olivia')
const fatima = await signIn('fatima')
const bySignIn = { token: olivia.accessToken }

const Created = z.object({ data: z.object({ collection: z.object({ ratingKey: z.string() }) }) })
const Titles = z.object({ data: z.array(z.object({ title: z.string() })) })
const Queued = z.object({ data: z.object({ scanId: z.string() }) })
const Scan = z.object({ data: z.object({ endedAt: z.string().optional() }) })
const Pictured = z.object({ data: z.object({ images: z.object({ poster: z.string() }) }) })

let show = ''
let collection = ''
let scan = ''
let picture = ''

beforeAll(async () => {
  await startOver()
  const [first] = (await readItems('/libraries/2/items?limit=1', olivia)).data
  show = first?.ratingKey ?? ''
  picture = (await expectData(await read(`/items/${show}`, olivia), 200, Pictured)).data.images.poster
  collection = await create('The promise of a cache')
  const queued = await ask('POST', '/api/plex/libraries/2/refresh', { ...bySignIn, json: {} })
  scan = (await expectData(queued, 202, Queued)).data.scanId
  const ended = async () => (await expectData(await read(`/scans/${scan}`, olivia), 200, Scan)).data.endedAt
  await vi.waitUntil(async () => (await ended()) !== undefined, { timeout: 15_000, interval: 100 })
  await startOver()
})
afterAll(async () => {
  await ask('DELETE', `/api/plex/collections/${collection}`, bySignIn)
  await startOver()
})

async function create(title: string): Promise<string> {
  const json = { libraryKey: '2', title, items: [show] }
  const response = await ask('POST', '/api/plex/collections', { ...bySignIn, json })
  return (await expectData(response, 201, Created)).data.collection.ratingKey
}

/** Where an example of an operation would find nothing, something that is there. */
const found = (id: string): Example => {
  if (id === 'readScan') return { param: { id: scan } }
  if (id.includes('Collection') && id !== 'listCollections') return { param: { ratingKey: collection } }
  if (['readItem', 'listChildren', 'listRelated'].includes(id)) return { param: { ratingKey: show } }
  return examples[id] ?? {}
}

/** Health looks for itself, each time. */
const reads = routes.filter(
  ({ base, method, id }) => base === '/plex' && method === 'get' && id !== 'readPlexHealth',
)

for (const route of reads) {
  test(`${route.id} says how old its answer is, where it comes from and when nothing is new`, async () => {
    const { path } = route.id === 'showImage' ? { path: picture } : requestFor(route, found(route.id))
    const get = (headers: Record<string, string> = {}) =>
      ask('GET', path, { ...bySignIn, headers: { ...freshAddress(), ...headers } })
    expect(Object.keys(route.responses)).toContain('304')
    await get()
    const response = await get()
    const body = await response.arrayBuffer()
    expect(response.status).toBe(200)
    expect(response.headers.get('x-cache')).toMatch(/^(HIT|MISS)$/)
    expect(response.headers.get('age')).toMatch(/^\d+$/)
    expect(response.headers.get('cache-control')).toMatch(/^private, max-age=\d+/)
    expect(response.headers.get('server-timing')).toMatch(/cache;dur=[\d.]+;desc="(HIT|MISS)", total;dur=\d/)
    expect(body.byteLength).toBeGreaterThan(0)
    const etag = response.headers.get('etag') ?? ''
    expect(etag).toMatch(/^"[^"]+"$/)
    const unchanged = await get({ 'if-none-match': etag })
    expect([unchanged.status, unchanged.headers.get('etag'), await unchanged.text()]).toEqual([304, etag, ''])
    for (const name of ['x-cache', 'age', 'server-timing'])
      expect(unchanged.headers.has(name), name).toBe(true)
  })
}

test('what an administrator has changed they see at once, through whichever isolate, and others within five seconds', async () => {
  const [mine, another, theirs] = [askUnder({}), askUnder({}), askUnder({})]
  const path = '/api/plex/libraries/2/collections'
  const titles = async (through: typeof ask, token: string) =>
    (await expectData(await through('GET', path, { token }), 200, Titles)).data.map(({ title }) => title)
  for (const through of [mine, another]) await titles(through, olivia.accessToken)
  await titles(theirs, fatima.accessToken)

  const title = `Just made ${crypto.randomUUID()}`
  const json = { libraryKey: '2', title, items: [show] }
  const response = await mine('POST', '/api/plex/collections', { ...bySignIn, json })
  const { ratingKey } = (await expectData(response, 201, Created)).data.collection
  expect(await titles(mine, olivia.accessToken)).toContain(title)
  expect(await titles(another, olivia.accessToken)).toContain(title)
  const startedAt = Date.now()
  await expect
    .poll(() => titles(theirs, fatima.accessToken), { timeout: 8_000, interval: 250 })
    .toContain(title)
  expect(Date.now() - startedAt).toBeLessThan(6_000)

  await another('DELETE', `/api/plex/collections/${ratingKey}`, bySignIn)
  expect(await titles(mine, olivia.accessToken)).not.toContain(title)
})

const Health = z.object({
  data: z.object({
    cache: z.object({ hitRatio: z.number(), reads: z.int(), hours: z.literal(24) }).optional(),
  }),
})
const cacheHealth = async (token?: string) =>
  (await expectData(await ask('GET', '/api/plex/health', { token }), 200, Health)).data.cache

test('administrators are told how many reads the cache has answered, and nobody else is', async () => {
  await read('/libraries', olivia)
  const before = await cacheHealth(olivia.accessToken)
  for (let i = 0; i < 3; i += 1) await read('/libraries', olivia)
  const after = await cacheHealth(olivia.accessToken)
  expect(after?.reads).toBe((before?.reads ?? 0) + 3)
  expect(after?.hitRatio).toBeGreaterThan(before?.hitRatio ?? 1)
  expect(await cacheHealth(fatima.accessToken)).toBeUndefined()
  expect(await cacheHealth()).toBeUndefined()
})

test('without KV the same reads are answered by Plex, and nothing else is different', async () => {
  const away = async () => Promise.reject(new Error('KV is away'))
  const spies = (['getWithMetadata', 'put'] as const).map((name) =>
    vi.spyOn(env.CACHE, name).mockImplementation(away),
  )
  const through = askUnder({})
  for (let i = 0; i < 2; i += 1) {
    const response = await through('GET', '/api/plex/libraries', bySignIn)
    expect([response.status, response.headers.get('x-cache')]).toEqual([200, 'MISS'])
  }
  for (const spy of spies) {
    expect(spy).toHaveBeenCalledTimes(2)
    spy.mockRestore()
  }
})

test('while the object that counts changes is away, reads go on', async () => {
  const spy = vi.spyOn(env.PLEX_SERVER, 'getByName').mockImplementation(() => {
    throw new Error('away')
  })
  const response = await askUnder({})('GET', '/api/plex/libraries', bySignIn)
  expect(spy).toHaveBeenCalled()
  spy.mockRestore()
  expect(response.status).toBe(200)
})
