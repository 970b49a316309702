import { expect, test } from 'vitest'

import { Problem } from '../../../src/contract/problem.ts'
import type { Asked } from '../../../src/http/cached-response.ts'
import { createOwnerPlex } from '../../../src/platform/owner-plex.ts'
import { parseSession } from '../../../src/plex/parse-session.ts'
import { plexPath } from '../../../src/plex/ports.ts'
import { SessionsBody } from '../../../src/plex/session-schema.ts'
import { createSessions } from '../../../src/plex/sessions.ts'

const view = { now: 0, paths: false, machineIdentifier: 'm' }

const row = (userId: unknown, more: object = {}) => ({
  ratingKey: '5',
  librarySectionID: '1',
  type: 'movie',
  title: 'A film',
  sessionKey: '1',
  User: { id: userId, title: 'Somebody' },
  ...more,
})

const asked = (userId: string, role: 'user' | 'admin' = 'user'): Asked => ({
  caller: { userId, sessionId: 's', role, scope: `${userId}.1` },
  background: () => undefined,
})

function create(rows: unknown, libraryKeys: readonly string[] = ['1']) {
  const world = { now: 0, reads: 0, error: undefined as Error | undefined }
  const sessions = createSessions({
    owner: {
      async read() {
        world.reads += 1
        if (world.error) throw world.error
        return { container: { Metadata: rows } }
      },
    },
    libraryKeys: async () => libraryKeys,
    images: { sign: async (_scope, value) => value },
    machineIdentifier: 'm',
    etagOf: async (body) => `"${body.length}"`,
    now: () => world.now,
  })
  const list = async (userId: string, role?: 'user' | 'admin') =>
    SessionsBody.parse(JSON.parse((await sessions(asked(userId, role))).body)).data
  return { world, sessions, list }
}

test('a user’s own sessions are those of the plex.tv account, as text or as a number', async () => {
  const { list } = create([row('77'), row(77), row('7'), row('1')])
  expect(await list('77')).toHaveLength(2)
  expect(await list('8')).toHaveLength(0)
  expect(await list('9', 'admin')).toHaveLength(4)
})

test('what Plex calls the owner is no account of plex.tv', async () => {
  const { list } = create([row('1')])
  expect(await list('1')).toEqual([])
})

test('what plays in a library outside of the share is not shown, nor what is in none', async () => {
  const { list } = create([row('7', { librarySectionID: '2' }), row('7', { librarySectionID: undefined })])
  expect(await list('7')).toEqual([])
})

test('an answer is ten seconds old at most, and a failure is not covered up', async () => {
  const { world, sessions } = create([row('7')])
  expect(await sessions(asked('7'))).toMatchObject({ state: 'MISS', ageSeconds: 0, freshForSeconds: 10 })
  world.now = 9_999
  expect(await sessions(asked('7'))).toMatchObject({ state: 'HIT', ageSeconds: 9, freshForSeconds: 0 })
  expect(world.reads).toBe(1)
  world.now = 10_000
  world.error = new Problem('plex-unavailable', { members: { retryAfter: 5 } })
  await expect(sessions(asked('7'))).rejects.toBe(world.error)
})

test('oddities of a session do no harm', () => {
  for (const odd of [
    {},
    { User: null },
    { User: { id: '1' } },
    { sessionKey: '1', User: 'x' },
    { sessionKey: null, Session: { id: null }, User: { id: 1 } },
  ]) {
    expect(parseSession(odd, view)).toBeUndefined()
  }
  const odd = {
    ratingKey: '../../etc',
    sessionKey: 3,
    User: { id: 5 },
    Player: [],
    Session: 'x',
    TranscodeSession: { speed: '1.5', progress: null },
    viewOffset: '-5',
    duration: '0',
  }
  expect(parseSession(odd, view)).toEqual({
    id: '3',
    user: { id: '5' },
    state: 'unknown',
    player: {},
    transcoding: { speed: 1.5 },
  })
})

const question = { path: plexPath`/status/sessions` }
const container = { container: {} }

test('the owner is the first administrator whose token Plex takes', async () => {
  const tried: string[] = []
  const owner = createOwnerPlex(
    {
      async read(token) {
        tried.push(token)
        if (token === 'old') return 'token-refused'
        if (token === 'no owner') throw new Problem('upstream-invalid', { cause: '403 text/html' })
        return container
      },
    },
    async () => ['old', 'no owner', 'owner', 'other'],
  )
  expect(await owner.read(question)).toBe(container)
  expect(tried).toEqual(['old', 'no owner', 'owner'])
})

test('without an owner whose token Plex takes it is said what to do', async () => {
  const refusing = { read: async () => 'token-refused' as const }
  for (const tokens of [[], ['old', 'older']]) {
    const owner = createOwnerPlex(refusing, async () => tokens)
    await expect(owner.read(question)).rejects.toMatchObject({ code: 'plex-owner-required' })
  }
})

test('a Plex that is away is not asked with every token there is', async () => {
  let tries = 0
  const read = async () => {
    tries += 1
    throw new Problem('plex-unavailable', { members: { retryAfter: 5 } })
  }
  const owner = createOwnerPlex({ read }, async () => ['a', 'b'])
  await expect(owner.read(question)).rejects.toMatchObject({ code: 'plex-unavailable' })
  expect(tries).toBe(1)
})
