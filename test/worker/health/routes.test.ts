import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'
import { expect, test } from 'vitest'

import { serviceNames } from '#contract/health.ts'
import { Problem } from '#contract/problem.ts'

import type { HealthStore, Probed } from '../../../src/health/ports.ts'
import { health } from '../../../src/health/routes.ts'
import { createHealth } from '../../../src/health/service.ts'
import type { AppEnv, HttpDependencies, Role } from '../../../src/http/env.ts'
import { requestScope } from '../../../src/http/middleware/request-scope.ts'
import { problemResponse } from '../../../src/http/problem-response.ts'
import { createHealthStore } from '../../../src/platform/health-store.ts'

const http: HttpDependencies = {
  access: {
    async identify(token) {
      if (token !== 'user' && token !== 'admin') throw new Problem('unauthenticated')
      return { userId: token, sessionId: 's', role: token }
    },
    admit: async (claims) => ({ admitted: true, caller: { ...claims, scope: `${claims.userId}.1` } }),
  },
  log: () => {},
  newId: () => crypto.randomUUID(),
  now: () => Date.now(),
  allowedOrigins: [],
}

function setUp(store: HealthStore = createHealthStore(drizzle(env.DB))) {
  const fine = async (): Promise<Probed> => ({ status: 'healthy', latencyMs: 4 })
  const service = createHealth({
    probes: {
      plex: async () => ({ status: 'unhealthy', cause: 'token-refused' }),
      'plex-tv': fine,
      database: fine,
      cache: fine,
      webhooks: fine,
      downloader: fine,
    },
    store,
    publish: async () => {},
    log: () => {},
    now: http.now,
    wait: (ms) => scheduler.wait(ms),
  })
  const { base, routes } = health(service)
  const app = new Hono<AppEnv>()
  app.onError(problemResponse)
  app.use(requestScope(http))
  app.route(`/api${base}`, routes)
  const ask = async (path: string, as?: Role | 'stranger') => {
    const response = await app.request(
      `https://medianest.example/api/health${path}`,
      as ? { headers: { Authorization: `Bearer ${as}` } } : {},
    )
    return { status: response.status, headers: response.headers, body: await response.json() }
  }
  return { ask, service }
}

test('the sign of life asks nobody else', async () => {
  const asked = () => expect.unreachable()
  const { ask } = setUp({ record: asked, recent: asked, history: asked })
  expect(await ask('/live')).toMatchObject({ status: 200, body: { data: { status: 'healthy' } } })
})

test('who is not signed in sees the state of the whole alone', async () => {
  const { ask, service } = setUp()
  await service.round()
  const { status, headers, body } = await ask('/system')
  expect([status, headers.get('cache-control'), body]).toEqual([
    200,
    'no-store',
    { data: { status: 'unhealthy' } },
  ])
})

test('users see services, admins also causes', async () => {
  const { ask, service } = setUp()
  await service.round()
  const seen = await ask('/system', 'user')
  expect(seen.body).toMatchObject({
    data: { services: serviceNames.map((name) => ({ service: name, checkedAt: expect.any(String) })) },
  })
  expect(JSON.stringify(seen.body)).not.toContain('token-refused')
  expect(JSON.stringify((await ask('/system', 'admin')).body)).toContain('token-refused')
})

test('a history is for who is signed in', async () => {
  const { ask, service } = setUp()
  await service.round()
  expect(await ask('/services/cache')).toMatchObject({ status: 401, body: { code: 'unauthenticated' } })
  expect(await ask('/services/cache?hours=1', 'user')).toMatchObject({
    status: 200,
    body: {
      data: {
        service: 'cache',
        status: 'healthy',
        hours: 1,
        uptimePercent: 100,
        latency: { p50Ms: 4, p95Ms: 4 },
      },
    },
  })
  expect(JSON.stringify((await ask('/services/plex', 'user')).body)).not.toContain('token-refused')
  expect(JSON.stringify((await ask('/services/plex', 'admin')).body)).toContain('token-refused')
})

test.each([
  '/services/cache?hours=0',
  '/services/cache?hours=73',
  '/services/cache?hour=1',
  '/services/weather',
])('refused: %s', async (path) => {
  expect(await setUp().ask(path, 'user')).toMatchObject({ status: 400, body: { code: 'invalid-request' } })
})

test('a credential that is no good is no way to ask as the public', async () => {
  expect(await setUp().ask('/system', 'stranger')).toMatchObject({ status: 401 })
})
