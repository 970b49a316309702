import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test } from 'vitest'

import type { ProblemCode } from '#contract/problems.ts'

import { ask, expectProblem, signIn } from '../support/client.ts'
import { fault, type Fault } from '../support/world.ts'
import { age, askedOfPlex, plexBreaker, read, startOver } from './support.ts'

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

type Row = {
  readonly name: string
  readonly fault: Fault
  /** When there is nothing in the cache: a problem, or an answer. */
  readonly cold: ProblemCode | 'MISS'
  /** When there is an old answer: whether it is served. */
  readonly stale: ProblemCode | 'MISS' | 'STALE'
  /** How often Plex is asked for one read. */
  readonly attempts: number
}

const rows: readonly Row[] = [
  {
    name: 'slow, but in time',
    fault: { kind: 'delay', delayMs: 100 },
    cold: 'MISS',
    stale: 'MISS',
    attempts: 1,
  },
  { name: 'hangs', fault: { kind: 'hang' }, cold: 'plex-unavailable', stale: 'STALE', attempts: 3 },
  { name: 'resets', fault: { kind: 'reset' }, cold: 'plex-unavailable', stale: 'STALE', attempts: 3 },
  { name: '500', fault: html(500), cold: 'plex-unavailable', stale: 'STALE', attempts: 3 },
  { name: '500 once', fault: { ...html(500), times: 1 }, cold: 'MISS', stale: 'MISS', attempts: 2 },
  { name: '502', fault: html(502), cold: 'plex-unavailable', stale: 'STALE', attempts: 3 },
  { name: '503 maintenance', fault: maintenance, cold: 'plex-maintenance', stale: 'STALE', attempts: 1 },
  // plex.tv says that the token is good, so signing in again is all that can help.
  {
    name: '401',
    fault: html(401),
    cold: 'plex-sign-in-required',
    stale: 'plex-sign-in-required',
    attempts: 2,
  },
  { name: '403', fault: html(403), cold: 'not-found', stale: 'not-found', attempts: 1 },
  { name: '404', fault: html(404), cold: 'not-found', stale: 'not-found', attempts: 1 },
  { name: '400', fault: html(400), cold: 'upstream-invalid', stale: 'STALE', attempts: 1 },
  {
    name: '302',
    fault: html(302, { location: '/login' }),
    cold: 'upstream-invalid',
    stale: 'STALE',
    attempts: 1,
  },
  { name: '429', fault: html(429), cold: 'plex-unavailable', stale: 'STALE', attempts: 3 },
  {
    name: '429 for a minute',
    fault: html(429, { 'retry-after': '60' }),
    cold: 'plex-unavailable',
    stale: 'STALE',
    attempts: 1,
  },
  {
    name: 'stops halfway',
    fault: { kind: 'truncate' },
    cold: 'plex-unavailable',
    stale: 'STALE',
    attempts: 3,
  },
  {
    name: 'HTML as 200',
    fault: { kind: 'html', body: `<h1>${leak}</h1>` },
    cold: 'upstream-invalid',
    stale: 'STALE',
    attempts: 1,
  },
  {
    name: 'no container',
    fault: { kind: 'wrong-types' },
    cold: 'upstream-invalid',
    stale: 'STALE',
    attempts: 1,
  },
  {
    name: 'half a JSON',
    fault: html(200, { 'content-type': 'application/json' }),
    cold: 'upstream-invalid',
    stale: 'STALE',
    attempts: 1,
  },
]

const path = '/libraries/1/items?limit=3'

async function expectOutcome(response: Response, outcome: Row['stale']): Promise<void> {
  expect(response.status, await response.clone().text()).not.toBe(500)
  expect(await response.clone().text()).not.toContain('LEAK')
  if (outcome === 'MISS' || outcome === 'STALE') {
    expect(response.status).toBe(200)
    expect(response.headers.get('x-cache')).toBe(outcome)
    return
  }
  const { retryAfter } = await expectProblem(response, outcome)
  expect(response.headers.get('cache-control')).toBe('no-store')
  if (response.status === 503) expect(retryAfter).toBeGreaterThan(0)
}

for (const { name, fault: trouble, cold, stale, attempts } of rows) {
  test(`Plex ${name}: ${cold} without an old answer, ${stale} with one`, async () => {
    await fault('plexUrl', trouble)
    const asked = await askedOfPlex(async () => expectOutcome(await read(path, frank), cold))
    expect(asked).toHaveLength(attempts)

    await startOver()
    expect((await read(path, frank)).headers.get('x-cache')).toBe('MISS')
    await fault('plexUrl', trouble)
    const whileFresh = await askedOfPlex(async () => {
      expect((await read(path, frank)).headers.get('x-cache')).toBe('HIT')
    })
    expect(whileFresh).toEqual([])

    await age(2 * 60 * minutes)
    await expectOutcome(await read(path, frank), stale)
  })
}

for (const missing of ['/server', '/libraries', '/search?query=xyz', '/recently-added']) {
  test(`a 404 for ${missing}, which every Plex has, is no answer of Plex`, async () => {
    await fault('plexUrl', html(404))
    await expectOutcome(await read(missing, frank), 'upstream-invalid')
  })
}

test('after an outage of a day there is nothing left to serve', async () => {
  await read(path, frank)
  await age(25 * 60 * minutes)
  await fault('plexUrl', { kind: 'reset' })
  await expectOutcome(await read(path, frank), 'plex-unavailable')
})

test('an empty answer of a failing Plex does not take the place of a full one', async () => {
  const full = await (await read(path, frank)).text()
  await age(2 * 60 * minutes)
  await fault('plexUrl', html(500, { 'content-type': 'application/json' }))
  const response = await read(path, frank)
  expect(response.headers.get('x-cache')).toBe('STALE')
  expect(await response.text()).toBe(full)
})

test('an open circuit is a 503 that says when, costs Plex no call, and serves what is there', async () => {
  await read(path, frank)
  await age(2 * 60 * minutes)
  await fault('plexUrl', { ...html(500), path: '^/library' })
  await expectOutcome(await read('/libraries/3/items', frank), 'plex-unavailable')
  const asked = await askedOfPlex(async () => {
    await expectOutcome(await read(path, frank), 'STALE')
    const { retryAfter } = await expectProblem(await read('/libraries/3/items', frank), 'plex-unavailable')
    expect(retryAfter).toBeGreaterThan(290)
  })
  // Three failures came before, and the circuit takes five.
  expect(asked).toHaveLength(2)
  expect((await runInDurableObject(plexBreaker(), (breaker) => breaker.state())).kind).toBe('open')
  const health = await ask('GET', '/api/plex/health', { token: olivia.accessToken })
  expect(await health.json()).toMatchObject({ data: { status: 'degraded', cause: 'circuit-open' } })
})
