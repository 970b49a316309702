import { expect, test } from 'vitest'

import { examples } from '../access/examples.ts'
import { askUnder } from '../support/app.ts'
import { ask, expectProblem } from '../support/client.ts'
import { requestFor, routes } from '../support/operations.ts'
import { member } from '../support/sessions.ts'

const [owner, friend] = [await member('olivia'), await member('frank')]
const tokenOf = async (person = friend) => (await person.session()).token
const uuid = /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

test('a request has an id of ours, never one that the client chose', async () => {
  const headers = { 'x-request-id': 'chosen-by-the-client' }
  const ids = []
  for (const path of ['/api/health/live', '/api/auth/session', '/nothing']) {
    const response = await ask('GET', path, { headers })
    ids.push(response.headers.get('x-request-id'))
    expect(await response.text()).not.toContain('chosen-by-the-client')
  }
  for (const id of ids) expect(id).toMatch(uuid)
  expect(new Set(ids).size).toBe(3)
})

test('every answer says where its time went, and that its type is not to be guessed', async () => {
  const response = await ask('GET', '/api/plex/server', { token: await tokenOf() })
  expect(response.headers.get('server-timing')).toMatch(
    /^gate;dur=\d+, .*cache;dur=\d+;desc="\w+".*, total;dur=\d+$/,
  )
  const refused = await ask('GET', '/api/plex/server')
  expect(refused.headers.get('server-timing')).toMatch(/^total;dur=\d+$/)
  for (const each of [response, refused]) expect(each.headers.get('x-content-type-options')).toBe('nosniff')
})

test('what does not say how long it keeps is not kept', async () => {
  const token = await tokenOf()
  for (const path of [
    '/api/auth/session',
    '/api/youtube/quota',
    '/api/health/live',
    '/api/plex/health',
    '/nothing',
  ])
    expect((await ask('GET', path, { token })).headers.get('cache-control'), path).toBe('no-store')
  expect((await ask('GET', '/api/plex/server', { token })).headers.get('cache-control')).toMatch(
    /^private, max-age=\d+$/,
  )
})

test('an allowance is stated on what it admits and on what it refuses', async () => {
  const few = askUnder({ PLEX_REQUESTS_PER_15_MINUTES: '3' })
  const { token, userId } = await (await member('fatima')).session()
  expect(userId).toBe('10000003')
  const answers = []
  for (let request = 0; request < 5; request += 1)
    answers.push(await few('GET', '/api/plex/server', { token }))
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 429, 429])
  expect(answers.map(({ headers }) => headers.get('x-ratelimit-remaining'))).toEqual([
    '2',
    '1',
    '0',
    '0',
    '0',
  ])
  for (const answer of answers) {
    const reset = Number(answer.headers.get('x-ratelimit-reset'))
    expect(reset).toBeGreaterThan(890)
    expect(reset).toBeLessThanOrEqual(900)
    expect(answer.headers.get('x-ratelimit-limit')).toBe('3')
    expect(answer.headers.get('ratelimit-policy')).toBe('"plex";q=3;w=900')
    const remaining = answer.headers.get('x-ratelimit-remaining')
    expect(answer.headers.get('ratelimit')).toBe(`"plex";r=${remaining};t=${reset}`)
  }
  const [first, , , refused] = answers
  expect(first?.headers.get('retry-after')).toBeNull()
  if (!refused) throw new Error('not refused')
  const { retryAfter, limit, windowSeconds } = await expectProblem(refused, 'rate-limited')
  expect([limit, windowSeconds]).toEqual([3, 900])
  expect(Number(retryAfter)).toBeGreaterThan(890)
  expect((await few('GET', '/api/auth/session', { token })).status, 'what has no limit is still there').toBe(
    200,
  )
})

test('a request that is refused for its form costs nothing', async () => {
  const token = await tokenOf(owner)
  const remaining = async () =>
    Number((await ask('GET', '/api/plex/server', { token })).headers.get('x-ratelimit-remaining'))
  const before = await remaining()
  await ask('GET', '/api/plex/server?no=1', { token })
  await ask('GET', '/api/plex/items/x', { token })
  expect(await remaining()).toBe(before - 1)
})

test('an answer that the client has is not sent again', async () => {
  const token = await tokenOf()
  const read = (ifNoneMatch?: string) =>
    ask('GET', '/api/plex/server', { token, headers: ifNoneMatch ? { 'if-none-match': ifNoneMatch } : {} })
  const first = await read()
  const etag = first.headers.get('etag') ?? ''
  expect(etag).toMatch(/^"[\w-]+"$/)
  for (const matching of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
    const response = await read(matching)
    expect(response.status, matching).toBe(304)
    expect(await response.text()).toBe('')
    expect(response.headers.get('etag')).toBe(etag)
    expect(response.headers.get('cache-control')).toMatch(/^private/)
    expect(response.headers.get('x-request-id')).toMatch(uuid)
  }
  for (const other of ['"other"', etag.slice(1, -1), '']) expect((await read(other)).status).toBe(200)
})

test('a cached answer says for whom it is and how old', async () => {
  const token = await tokenOf()
  const [miss, hit] = [
    await ask('GET', '/api/plex/server', { token }),
    await ask('GET', '/api/plex/server', { token }),
  ]
  expect([miss, hit].map(({ headers }) => headers.get('x-cache'))).toEqual(['MISS', 'HIT'])
  expect(Number(hit.headers.get('age'))).toBeLessThan(60)
  const vary = (hit.headers.get('vary') ?? '').split(',').map((part) => part.trim())
  expect(vary.toSorted()).toEqual(['Authorization', 'Cookie', 'Origin'])
})

test('nothing travels as null', async () => {
  const bodies = []
  for (const route of routes.filter(({ id }) => id !== 'signOut')) {
    const { method, path, ask: options } = requestFor(route, examples[route.id] ?? {})
    for (const token of [undefined, await tokenOf(owner)]) {
      const response = await ask(method, path, { ...options, token })
      if (response.headers.get('content-type')?.includes('json')) bodies.push(await response.text())
    }
  }
  expect(bodies.length).toBeGreaterThan(routes.length)
  for (const body of bodies) expect(body).not.toMatch(/:\s*null|[[,]\s*null/)
})

test('a page of an origin we trust may ask and read, with its cookies', async () => {
  const headers = { origin: 'https://app.example' }
  const preflight = await ask('OPTIONS', '/api/youtube/download', {
    headers: {
      ...headers,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'content-type',
    },
  })
  expect(preflight.status).toBe(204)
  expect(preflight.headers.get('access-control-allow-headers')).toBe('content-type')
  expect(preflight.headers.get('access-control-allow-methods')).toContain('POST')
  for (const response of [
    preflight,
    await ask('GET', '/api/auth/session', { headers }),
    await ask('GET', '/no', { headers }),
  ]) {
    expect(response.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(response.headers.get('access-control-allow-credentials')).toBe('true')
  }
  const read = await ask('GET', '/api/plex/server', { headers, token: await tokenOf() })
  const exposed = read.headers.get('access-control-expose-headers')?.split(',') ?? []
  for (const name of ['RateLimit', 'Retry-After', 'ETag', 'X-Cache', 'X-Request-Id'])
    expect(exposed).toContain(name)
})

test('a page of another origin is not allowed to read, and is not told who is', async () => {
  for (const foreign of [
    'https://evil.example',
    'https://app.example.evil.example',
    'http://app.example',
    'null',
  ]) {
    const headers = { origin: foreign, 'access-control-request-method': 'POST' }
    for (const response of [
      await ask('OPTIONS', '/api/youtube/download', { headers }),
      await ask('GET', '/api/health/live', { headers }),
    ]) {
      expect(response.headers.get('access-control-allow-origin'), foreign).toBeNull()
      expect(JSON.stringify([...response.headers])).not.toContain('app.example"')
    }
  }
})
