import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { ProblemCode } from '#contract/problems.ts'

import { askUnder } from '../support/app.ts'
import { ask, expectProblem, signIn } from '../support/client.ts'
import { clearFaults, fault, type Fault } from '../support/world.ts'
import { age, askedOfPlex, plexBreaker, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const minutes = 60_000

beforeEach(startOver)
afterEach(startOver)

const leak = 'LEAK: upstream says hello'
const html = (status: number, headers?: Record<string, string>): Fault => ({
  kind: 'status',
  status,
  body: `<html><body><h1>${status} ${leak}</h1></body></html>`,
  ...(headers && { headers }),
})
const maintenance: Fault = {
  kind: 'status',
  status: 503,
  headers: { 'content-type': 'text/xml;charset=utf-8' },
  body: `<?xml version="1.0"?><Response code="503" title="Maintenance" status="${leak}"/>`,
}

type Outcome = ProblemCode | 'MISS' | 'STALE'

type Row = {
  readonly name: string
  readonly fault: Fault
  /** When there is nothing in the cache. */
  readonly cold: Outcome
  /** When there is an old answer; a fresh one is served whatever happens. */
  readonly stale: Outcome
  /** How often Plex is asked for one read. */
  readonly attempts: number
  /** How many of those speak against Plex. */
  readonly failures: number
}

/** It fails, and Plex is to blame: three tries that count. */
const broken = { cold: 'plex-unavailable', stale: 'STALE', attempts: 3, failures: 3 } as const
/** It answers, and makes no sense: asking again would bring the same. */
const nonsense = { cold: 'upstream-invalid', stale: 'STALE', attempts: 1, failures: 0 } as const
const denied = { cold: 'not-found', stale: 'not-found', attempts: 1, failures: 0 } as const

const rows: readonly Row[] = [
  {
    name: 'is slow, but in time',
    fault: { kind: 'delay', delayMs: 50 },
    cold: 'MISS',
    stale: 'MISS',
    attempts: 1,
    failures: 0,
  },
  { name: 'hangs', fault: { kind: 'hang' }, ...broken },
  { name: 'resets', fault: { kind: 'reset' }, ...broken },
  { name: 'stops halfway', fault: { kind: 'truncate' }, ...broken },
  { name: 'says 500', fault: html(500), ...broken },
  { name: 'says 502', fault: html(502), ...broken },
  { name: 'says 503 without a reason', fault: html(503), ...broken },
  {
    name: 'says 503 for a minute',
    fault: html(503, { 'retry-after': '60' }),
    ...broken,
    attempts: 1,
    failures: 1,
  },
  {
    name: 'says 500 once',
    fault: { ...html(500), times: 1 },
    cold: 'MISS',
    stale: 'MISS',
    attempts: 2,
    failures: 1,
  },
  { name: 'is in maintenance', fault: maintenance, ...nonsense, cold: 'plex-maintenance' },
  // plex.tv says that the token is good, so signing in again is all that can help.
  {
    name: 'says 401',
    fault: html(401),
    cold: 'plex-sign-in-required',
    stale: 'plex-sign-in-required',
    attempts: 2,
    failures: 0,
  },
  { name: 'says 403', fault: html(403), ...denied },
  { name: 'says 404', fault: html(404), ...denied },
  { name: 'says 400', fault: html(400), ...nonsense },
  { name: 'says 302', fault: html(302, { location: '/login' }), ...nonsense },
  { name: 'says 429', fault: html(429), ...broken, failures: 0 },
  {
    name: 'says 429 for a minute',
    fault: html(429, { 'retry-after': '60' }),
    ...broken,
    attempts: 1,
    failures: 0,
  },
  { name: 'says 200 with a page', fault: { kind: 'html', body: `<h1>${leak}</h1>` }, ...nonsense },
  { name: 'has no container', fault: { kind: 'wrong-types' }, ...nonsense },
  { name: 'says half a JSON', fault: html(200, { 'content-type': 'application/json' }), ...nonsense },
]

const path = '/libraries/1/items?limit=3'

async function expectOutcome(response: Response, outcome: Outcome): Promise<void> {
  const text = await response.clone().text()
  expect(text).not.toContain('LEAK')
  const [state, seconds, caching, etag] = ['x-cache', 'age', 'cache-control', 'etag'].map((name) =>
    response.headers.get(name),
  )
  if (outcome === 'MISS' || outcome === 'STALE') {
    expect([response.status, state], text).toEqual([200, outcome])
    expect(Number(seconds)).toBeGreaterThanOrEqual(outcome === 'STALE' ? 7_200 : 0)
    expect(caching).toBe(outcome === 'STALE' ? 'private, max-age=0' : 'private, max-age=60')
    expect(etag).toMatch(/^"[\w-]{27}"$/)
    return
  }
  const { retryAfter } = await expectProblem(response, outcome)
  expect([state, seconds, caching, etag]).toEqual([null, null, 'no-store', null])
  if (response.status === 503) expect(retryAfter).toBeGreaterThan(0)
}

const circuit = () => runInDurableObject(plexBreaker(), (breaker) => breaker.state())
/** An isolate that has seen nothing yet, and waits as long as a test may. */
const startIsolate = () => {
  const through = askUnder({ PLEX_TIMEOUT_MS: '150', PLEX_REQUESTS_PER_15_MINUTES: '100000' })
  return (at: string) => through('GET', `/api/plex${at}`, { token: frank.accessToken })
}

for (const { name, fault: trouble, cold, stale, attempts, failures } of rows) {
  const counted = { kind: 'closed', failures: Array.from({ length: failures }, () => expect.any(Number)) }

  test(`Plex ${name}: ${cold} when cold, HIT when warm, ${stale} when stale, ${attempts} asked, ${failures} counted`, async () => {
    const get = startIsolate()
    await fault('plexUrl', trouble)
    const asked = await askedOfPlex(async () => expectOutcome(await get(path), cold))
    expect(asked).toHaveLength(attempts)
    expect(await circuit()).toMatchObject(counted)

    await startOver()
    const { etag } = Object.fromEntries((await get(path)).headers)
    await fault('plexUrl', trouble)
    const whileFresh = await askedOfPlex(async () => {
      const warm = await get(path)
      expect([warm.status, warm.headers.get('x-cache'), warm.headers.get('etag')]).toEqual([200, 'HIT', etag])
    })
    expect(whileFresh).toEqual([])
    expect(await circuit()).toMatchObject({ kind: 'closed', failures: [] })

    await age(2 * 60 * minutes)
    await expectOutcome(await get(path), stale)
    expect(await circuit()).toMatchObject(counted)
  })

  test(`Plex ${name}, and does so for long: the circuit is ${failures > 0 && cold !== 'MISS' ? 'open' : 'closed'}`, async () => {
    const get = startIsolate()
    await get(path)
    await age(2 * 60 * minutes)
    await fault('plexUrl', trouble)
    for (let read = 0; read < 6; read += 1) await get('/libraries/3/items')
    const isOpen = failures > 0 && cold !== 'MISS'
    expect((await circuit()).kind).toBe(isOpen ? 'open' : 'closed')
    const asked = await askedOfPlex(async () => expectOutcome(await get(path), stale))
    expect(asked.length > 0).toBe(!isOpen)
    if (!isOpen) return
    const { retryAfter } = await expectProblem(await get('/server'), 'plex-unavailable')
    expect(retryAfter).toBeGreaterThan(290)
  })
}

test('the circuit opens with the fifth failure, not with the fourth', async () => {
  const get = startIsolate()
  await fault('plexUrl', html(503, { 'retry-after': '60' }))
  for (const kind of ['closed', 'closed', 'closed', 'closed', 'open', 'open']) {
    await expectOutcome(await get('/libraries/3/items'), 'plex-unavailable')
    expect((await circuit()).kind).toBe(kind)
  }
  const asked = await askedOfPlex(() => get('/libraries/3/items'))
  expect(asked).toEqual([])
})

test('when its time is up one of a hundred reads asks Plex, and the circuit closes for all isolates', async () => {
  const settings = {
    BREAKER_OPEN_SECONDS: '1',
    PLEX_REQUESTS_PER_15_MINUTES: '100000',
    BULKHEAD: '100',
    // However busy the machine is, the one that asks is answered.
    PLEX_TIMEOUT_MS: '10000',
    PLEX_DEADLINE_MS: '10000',
  }
  const [one, other] = [askUnder(settings), askUnder(settings)]
  const get = (at: string, index = 0) =>
    (index % 2 === 0 ? one : other)('GET', `/api/plex${at}`, { token: frank.accessToken })
  await fault('plexUrl', { kind: 'status', status: 500 })
  for (let read = 0; read < 2; read += 1) await get('/libraries/3/items')
  expect((await circuit()).kind).toBe('open')
  await evictDurableObject(plexBreaker())
  await clearFaults()
  await fault('plexUrl', { kind: 'delay', delayMs: 100 })
  await scheduler.wait(1_050)
  const asked = await askedOfPlex(async () => {
    const reads = Array.from({ length: 100 }, (_, index) =>
      get(`/libraries/1/items?limit=${1 + (index % 100)}`, index),
    )
    const statuses = (await Promise.all(reads)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(1)
    expect(statuses.filter((status) => status === 503)).toHaveLength(99)
  })
  expect(asked).toHaveLength(1)
  expect((await circuit()).kind).toBe('closed')
  for (const index of [0, 1]) expect((await get('/libraries/3/items', index)).status).toBe(200)
})

for (const missing of ['/server', '/libraries', '/search?query=xyz', '/recently-added']) {
  test(`a 404 for ${missing}, which every Plex has, is no answer of Plex`, async () => {
    await fault('plexUrl', html(404))
    await expectOutcome(await startIsolate()(missing), 'upstream-invalid')
  })
}

test('after an outage of a day there is nothing left to serve', async () => {
  const get = startIsolate()
  await get(path)
  await age(25 * 60 * minutes)
  await fault('plexUrl', { kind: 'reset' })
  await expectOutcome(await get(path), 'plex-unavailable')
})

test('an empty answer of a failing Plex does not take the place of a full one', async () => {
  const get = startIsolate()
  const full = await (await get(path)).text()
  await age(2 * 60 * minutes)
  await fault('plexUrl', html(500, { 'content-type': 'application/json' }))
  const response = await get(path)
  expect(response.headers.get('x-cache')).toBe('STALE')
  expect(await response.text()).toBe(full)
})

test('an open circuit is a 503 that says when, costs Plex no call, and serves what is there', async () => {
  const get = startIsolate()
  await get(path)
  await age(2 * 60 * minutes)
  await fault('plexUrl', { ...html(500), path: '^/library' })
  await expectOutcome(await get('/libraries/3/items'), 'plex-unavailable')
  const asked = await askedOfPlex(async () => {
    await expectOutcome(await get(path), 'STALE')
    const { retryAfter } = await expectProblem(await get('/libraries/3/items'), 'plex-unavailable')
    expect(retryAfter).toBeGreaterThan(290)
  })
  // Three failures came before, and the circuit takes five.
  expect(asked).toHaveLength(2)
  expect((await runInDurableObject(plexBreaker(), (breaker) => breaker.state())).kind).toBe('open')
  const health = await ask('GET', '/api/plex/health', { token: olivia.accessToken })
  expect(await health.json()).toMatchObject({ data: { status: 'degraded', cause: 'circuit-open' } })
})
