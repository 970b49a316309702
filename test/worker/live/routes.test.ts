import { env } from 'cloudflare:workers'
import { Hono } from 'hono'
import { cors } from 'hono/cors'
import { expect, test } from 'vitest'

import { Problem } from '#contract/problem.ts'

import type { AppEnv, Claims, HttpDependencies } from '../../../src/http/env.ts'
import { accessCookie } from '../../../src/http/middleware/guard.ts'
import { requestScope } from '../../../src/http/middleware/request-scope.ts'
import { problemResponse } from '../../../src/http/problem-response.ts'
import { live } from '../../../src/live/routes.ts'
import { createLive } from '../../../src/live/service.ts'
import { createLiveRooms } from '../../../src/platform/live-rooms.ts'
import { available, clientOf, newUser } from './support.ts'

const origin = 'https://medianest.example'
const upgrade = { Upgrade: 'websocket' }

/** The feature with rooms of its own, a clock of its own, and a gate that knows the sessions it is given. */
function setUp() {
  const clock = { now: Date.now() }
  const sessions = new Map<string, Claims>()
  const logged: string[] = []
  const http: HttpDependencies = {
    access: {
      async identify(token) {
        const claims = sessions.get(token)
        if (!claims) throw new Problem('unauthenticated')
        return claims
      },
      async admit(claims) {
        const alive = [...sessions.values()].some(({ sessionId }) => sessionId === claims.sessionId)
        if (!alive) return { admitted: false, problem: 'session-revoked' }
        return { admitted: true, caller: { ...claims, scope: `${claims.userId}.1` } }
      },
    },
    log: (_, event, fields) => logged.push(JSON.stringify([event, fields])),
    newId: () => crypto.randomUUID(),
    now: () => clock.now,
    allowedOrigins: ['https://app.example'],
  }
  const rooms = createLiveRooms(env.LIVE_ROOM, 3, http.log)
  const service = createLive({
    rooms,
    libraryKeys: async () => ['1'],
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    now: () => clock.now,
    wait: (ms) => scheduler.wait(ms),
  })
  const { base, routes } = live(service)
  const app = new Hono<AppEnv>()
  app.onError(problemResponse)
  app.use(requestScope(http))
  app.use(cors({ origin: ['https://app.example'], credentials: true }))
  app.route(`/api${base}`, routes)

  const signIn = (role: Claims['role'] = 'user') => {
    const token = crypto.randomUUID()
    const claims = { userId: newUser(), sessionId: crypto.randomUUID(), role }
    sessions.set(token, claims)
    return {
      ...claims,
      bearer: { Authorization: `Bearer ${token}` },
      cookie: { Cookie: `${accessCookie}=${token}` },
      token,
    }
  }
  const ask = async (path: string, init: RequestInit = {}) => app.request(`${origin}${path}`, init, env)
  const ticketOf = async (bearer: Record<string, string>) => {
    const response = await ask('/api/live/ticket', { method: 'POST', headers: bearer })
    const { data } = await response.json<{ data: { ticket: string; expiresAt: string } }>()
    return { ...data, status: response.status }
  }
  return { ask, signIn, ticketOf, sessions, rooms, clock, logged }
}

const code = async (response: Response) => {
  const problem = await response.json<{ code: string }>()
  return [response.status, problem.code]
}

test('a bearer token opens a connection on which a published event arrives', async () => {
  const { ask, signIn, rooms } = setUp()
  const { bearer, userId } = signIn()
  const client = clientOf(await ask('/api/live', { headers: { ...bearer, ...upgrade } }))
  expect(await client.frame()).toMatchObject({ event: 'hello' })
  await rooms.publish(
    { kind: 'user', userId },
    { event: 'youtube:cancelled', data: { downloadId: crypto.randomUUID() } },
  )
  expect(await client.frame()).toMatchObject({ event: 'youtube:cancelled' })
})

test('the libraries Plex shares with the user decide what is heard, topics narrow it', async () => {
  const { ask, signIn, rooms } = setUp()
  const { bearer } = signIn()
  const client = clientOf(await ask('/api/live?topics=media,plex', { headers: { ...bearer, ...upgrade } }))
  await client.frame()
  await rooms.publish({ kind: 'section', libraryKey: '2' }, available('2'))
  await rooms.publish({ kind: 'section', libraryKey: '1' }, available('1'))
  expect(await client.frame()).toMatchObject({ data: { libraryKey: '1' } })
})

test('a cookie counts only from a page of an origin we trust', async () => {
  const { ask, signIn } = setUp()
  const { cookie } = signIn()
  const from = (page: string) => ask('/api/live', { headers: { ...cookie, ...upgrade, Origin: page } })
  expect(await code(await from('https://evil.example'))).toEqual([403, 'origin-refused'])
  expect(await code(await ask('/api/live', { headers: { ...cookie, ...upgrade } }))).toEqual([
    403,
    'origin-refused',
  ])
  expect((await from(origin)).status).toBe(101)
  expect((await from('https://app.example')).status).toBe(101)
})

test('a ticket opens one connection within 30 seconds', async () => {
  const { ask, signIn, ticketOf, clock, logged } = setUp()
  const { bearer, userId } = signIn()
  const { ticket, expiresAt, status } = await ticketOf(bearer)
  expect(status).toBe(201)
  expect(Date.parse(expiresAt)).toBe(clock.now + 30_000)
  expect(ticket).toMatch(new RegExp(`^${userId}\\.[\\w-]{43}$`))
  const open = (text: string) => ask(`/api/live?ticket=${text}`, { headers: upgrade })
  const client = clientOf(await open(ticket))
  expect(await client.frame()).toMatchObject({ event: 'hello' })
  expect(await code(await open(ticket))).toEqual([401, 'unauthenticated'])

  const late = await ticketOf(bearer)
  clock.now += 30_000
  expect(await code(await open(late.ticket))).toEqual([401, 'unauthenticated'])
  expect(await code(await open(`${userId}.${'A'.repeat(43)}`))).toEqual([401, 'unauthenticated'])
  expect(logged.join()).not.toContain(ticket)
})

test('a ticket is worth nothing once its session has ended', async () => {
  const { ask, signIn, ticketOf, sessions, rooms } = setUp()
  const revoked = signIn()
  const { ticket } = await ticketOf(revoked.bearer)
  sessions.delete(revoked.token)
  const open = (text: string) => ask(`/api/live?ticket=${text}`, { headers: upgrade })
  expect(await code(await open(ticket))).toEqual([401, 'session-revoked'])

  const disconnected = signIn()
  const second = await ticketOf(disconnected.bearer)
  await rooms.disconnect(disconnected.userId, disconnected.sessionId)
  expect(await code(await open(second.ticket))).toEqual([401, 'unauthenticated'])
})

test('a session that ends while its connection is opening is refused by the room', async () => {
  const { ask, signIn, rooms } = setUp()
  const { bearer, userId, sessionId } = signIn()
  await rooms.disconnect(userId, sessionId)
  expect(await code(await ask('/api/live', { headers: { ...bearer, ...upgrade } }))).toEqual([
    401,
    'session-revoked',
  ])
})

test('a stranger is refused, and so is a request that is no upgrade', async () => {
  const { ask, signIn } = setUp()
  const { bearer } = signIn()
  expect(await code(await ask('/api/live', { headers: upgrade }))).toEqual([401, 'unauthenticated'])
  expect(await code(await ask('/api/live/ticket', { method: 'POST' }))).toEqual([401, 'unauthenticated'])
  const plain = await ask('/api/live', { headers: bearer })
  expect(plain.headers.get('upgrade')).toBe('websocket')
  expect(await code(plain)).toEqual([426, 'upgrade-required'])
})

test.each([
  'sicne=1',
  'since=-1',
  'since=1.5',
  'since=99999999999999999',
  'topics=weather',
  'topics=media,media,media,media,media,media,media',
  'x-live-entry=1',
])('a query that is not one is refused: %s', async (query) => {
  const { ask, signIn } = setUp()
  const response = await ask(`/api/live?${query}`, { headers: { ...signIn().bearer, ...upgrade } })
  expect(await code(response)).toEqual([400, 'invalid-request'])
})

test('nobody can say who they are but the Worker', async () => {
  const { ask, signIn, rooms } = setUp()
  const victim = signIn('admin')
  const forged = encodeURIComponent(JSON.stringify({ ...victim, libraries: [], topics: [], admittedAt: 0 }))
  const headers = { ...signIn().bearer, ...upgrade, 'x-live-entry': forged }
  const client = clientOf(await ask('/api/live', { headers }))
  await client.frame()
  await rooms.publish(
    { kind: 'user', userId: victim.userId },
    { event: 'youtube:cancelled', data: { downloadId: crypto.randomUUID() } },
  )
  await rooms.publish({ kind: 'admins' }, available('1'))
  await rooms.publish({ kind: 'section', libraryKey: '1' }, available('1'))
  expect(await client.frame()).toMatchObject({ event: 'media:available' })
  expect(client.waiting()).toEqual([])
})
