import { afterEach, beforeEach, expect, test } from 'vitest'

import { ask, signIn } from '../support/client.ts'
import { age, askedOfPlex, plexServer, read, readItems, startOver } from './support.ts'

const frank = await signIn('frank')
const fatima = await signIn('fatima')
const minutes = 60_000
const path = '/libraries/3/items?limit=5'

beforeEach(startOver)
afterEach(startOver)

const of = (response: Response, ...names: string[]) => names.map((name) => response.headers.get(name))

test('the second read is a hit with the same body and ETag, and asks Plex nothing', async () => {
  const first = await read(path, frank)
  let second = first
  const asked = await askedOfPlex(async () => {
    second = await read(path, frank)
  })
  expect(asked).toEqual([])
  expect(of(first, 'x-cache', 'age')).toEqual(['MISS', '0'])
  expect(of(second, 'x-cache', 'etag')).toEqual(['HIT', first.headers.get('etag')])
  expect(second.headers.get('etag')).toMatch(/^"[\w-]{27}"$/)
  expect(await second.text()).toBe(await first.text())
})

test('a copy is private, is whose it is, and its age does not count against its minute', async () => {
  await read(path, frank)
  await age(10 * minutes)
  const response = await read(path, frank)
  const seconds = Number(response.headers.get('age'))
  expect(seconds).toBeGreaterThanOrEqual(600)
  expect(response.headers.get('cache-control')).toBe(`private, max-age=${seconds + 60}`)
  expect(response.headers.get('vary')).toContain('Authorization')
  expect(response.headers.get('vary')).toContain('Cookie')
  expect(response.headers.get('server-timing')).toContain('cache;dur=')
})

test('to a page of an allowed origin it varies by origin as well', async () => {
  const response = await read(path, frank, { origin: 'https://app.example' })
  expect(of(response, 'access-control-allow-origin')).toEqual(['https://app.example'])
  for (const name of ['Authorization', 'Cookie', 'Origin'])
    expect(response.headers.get('vary')).toContain(name)
  expect(response.headers.get('access-control-expose-headers')).toContain('ETag')
})

test('who has it already is told so, however the tag is written', async () => {
  const etag = (await read(path, frank)).headers.get('etag') ?? ''
  for (const header of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const response = await read(path, frank, { 'if-none-match': header })
    expect(response.status, header).toBe(304)
    expect(await response.text()).toBe('')
    expect(of(response, 'etag', 'x-cache')).toEqual([etag, 'HIT'])
    expect(response.headers.get('cache-control')).toContain('private')
  }
  for (const header of ['"other"', etag.slice(1, -1), '']) {
    expect((await read(path, frank, { 'if-none-match': header })).status, header).toBe(200)
  }
})

test('a stale answer is marked, may not be reused, and is new on the next read', async () => {
  await read(path, frank)
  await age(31 * minutes)
  const stale = await read(path, frank)
  expect(of(stale, 'x-cache', 'cache-control')).toEqual(['STALE', 'private, max-age=0'])
  await expect.poll(async () => (await read(path, frank)).headers.get('x-cache')).toBe('HIT')
})

test('for twenty who come at once for a stale answer Plex is asked once', async () => {
  await read('/libraries', frank)
  await age(61 * minutes)
  const asked = await askedOfPlex(async () => {
    const all = await Promise.all(Array.from({ length: 20 }, () => read('/libraries', frank)))
    expect(new Set(all.map((response) => response.headers.get('x-cache')))).toEqual(new Set(['STALE']))
    await expect.poll(async () => (await read('/libraries', frank)).headers.get('x-cache')).toBe('HIT')
  })
  expect(asked.map((call) => call.path).toSorted()).toEqual([
    '/library/sections',
    '/library/sections/1/all',
    '/library/sections/3/all',
  ])
})

test('a change is seen within five seconds, and only where it belongs', async () => {
  const cacheOf = async (at: string) => (await read(at, fatima)).headers.get('x-cache')
  const [show] = (await readItems('/libraries/2/items?limit=1', fatima)).data
  const item = `/items/${show?.ratingKey}`
  const [changed, other, spanning] = ['/libraries/3/items', '/libraries/2/items', '/libraries']
  const all = [changed, other, spanning, item, `${item}/children`]
  for (const at of all) await cacheOf(at)
  expect(await Promise.all(all.map(cacheOf))).toEqual(all.map(() => 'HIT'))
  await plexServer().changed('3')
  await expect.poll(() => cacheOf(changed), { timeout: 6_000, interval: 250 }).toBe('MISS')
  for (const at of [other, item, `${item}/children`]) expect(await cacheOf(at), at).toBe('HIT')
  expect(await cacheOf(spanning)).toBe('MISS')
})

test('a token that has gone bad is told so, whatever is in the cache', async () => {
  await read(path, frank)
  expect((await ask('GET', `/api/plex${path}`, { token: 'not-a-token' })).status).toBe(401)
})
