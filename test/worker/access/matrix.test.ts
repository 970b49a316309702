import { expect, test } from 'vitest'
import * as z from 'zod'

import { problemStatus, type ProblemCode } from '#contract/problems.ts'

import { problemsOf } from '../../../src/http/openapi.ts'
import { plexServer } from '../plex/support.ts'
import { ask, expectProblem } from '../support/client.ts'
import { faultsOf, requestFor, routes, type Route } from '../support/operations.ts'
import { member, type Member } from '../support/sessions.ts'
import { forgetSeen, seen } from '../support/world.ts'
import { expired, forgeries, genuine, revoked } from './credentials.ts'
import { examples } from './examples.ts'

const [owner, friend] = [await member('olivia'), await member('frank')]

const exampleOf = ({ id }: Route) => examples[id] ?? {}
const guarded = routes.filter(({ access }) => access === 'user' || access === 'admin')
const admins = routes.filter(({ access }) => access === 'admin')
const choosy = routes.filter(({ access }) => access !== 'public' && access !== 'machine')
const open = routes.filter(({ access }) => access === 'public' || access === 'optional')
const machines = routes.filter(({ access }) => access === 'machine')

function send(route: Route, token?: string): Promise<Response> {
  const { method, path, ask: options } = requestFor(route, exampleOf(route))
  return ask(method, path, { ...options, token })
}

const Coded = z.object({ code: z.string() })

/** The answer is one that the operation's own description names, and no failure of ours. */
async function expectDeclared(route: Route, response: Response): Promise<void> {
  const text = await response.text()
  const said = `${route.id} answered ${response.status} ${text}`
  expect([500, 502, 504], said).not.toContain(response.status)
  if (response.status < 400) expect(Object.keys(route.responses), said).toContain(String(response.status))
  else expect(problemsOf(route), said).toContain(Coded.parse(JSON.parse(text)).code)
}

async function expectAll(
  chosen: readonly Route[],
  code: ProblemCode,
  tokenOf?: (entitled: Member) => Promise<string>,
): Promise<void> {
  expect(chosen.length).toBeGreaterThan(0)
  // Of those who may use the operation, so that only the credential can be the reason.
  const [admin, user] = tokenOf ? [await tokenOf(owner), await tokenOf(friend)] : []
  for (const route of chosen) {
    const response = await send(route, route.access === 'admin' ? admin : user)
    expect(response.status, route.id).toBe(problemStatus(code))
    await expectProblem(response, code)
  }
}

test.for(routes)('$id has an input that it accepts', (route) => {
  expect(faultsOf(route, exampleOf(route)), `add input for ${route.id} to the examples`).toEqual([])
})

test('every example is of an operation', () => {
  const ids = new Set(routes.map(({ id }) => id))
  expect(Object.keys(examples).filter((id) => !ids.has(id))).toEqual([])
})

test('a stranger gets nowhere that needs signing in', async () => {
  await expectAll(guarded, 'unauthenticated')
})

test('what is open to all answers a stranger as it says', async () => {
  for (const route of open) {
    const response = await send(route)
    expect(response.headers.get('www-authenticate') !== null, route.id).toBe(response.status === 401)
    await expectDeclared(route, response)
  }
})

test('a friend gets what is for users, and the answer is one that was promised', async () => {
  for (const route of choosy.filter(({ access }) => access !== 'admin')) {
    const response = await send(route, (await friend.session()).token)
    expect([401, 403], route.id).not.toContain(response.status)
    await expectDeclared(route, response)
  }
})

test('an admin gets everything that takes a person', async () => {
  for (const route of choosy) {
    const response = await send(route, (await owner.session()).token)
    expect([401, 403], route.id).not.toContain(response.status)
    await expectDeclared(route, response)
  }
})

test('a friend is refused what is for admins before Plex hears of it', async () => {
  // What the tests before have begun would be seen as well.
  const unfinished = async () => {
    const { queued, running } = await plexServer().scans()
    return queued.length + running.length
  }
  await expect.poll(unfinished, { timeout: 10_000 }).toBe(0)
  await forgetSeen('plexUrl')
  await expectAll(admins, 'forbidden', async () => (await friend.session()).token)
  expect(await seen('plexUrl')).toEqual([])
})

test('a former admin is refused at once, whatever the token still says', async () => {
  const { token, sessionId } = await owner.session()
  await owner.gate.confirm('user')
  try {
    await expectAll(admins, 'forbidden', async () => token)
  } finally {
    await owner.gate.confirm('admin')
    await owner.gate.revoke(sessionId)
  }
})

test('an ended session is dead everywhere', async () => {
  await expectAll(choosy, 'session-revoked', revoked)
})

test('an expired token is named as such, so that a client refreshes it', async () => {
  await expectAll(choosy, 'token-expired', expired)
})

test('the yardstick of the forgeries is accepted', async () => {
  expect((await ask('GET', '/api/auth/session', { token: await genuine(friend) })).status).toBe(200)
})

test.for(Object.keys(forgeries))('%s is refused everywhere', async (name) => {
  const forge = forgeries[name]
  if (!forge) throw new Error(name)
  await expectAll(choosy, 'unauthenticated', forge)
})

test('a public operation does not care for a credential, good or bad', async () => {
  for (const route of routes.filter(({ access }) => access === 'public')) {
    const statuses = []
    for (const token of [undefined, (await owner.session()).token, await revoked(friend), 'not-a-token'])
      statuses.push((await send(route, token)).status)
    expect(new Set(statuses).size, `${route.id} ${statuses.join()}`).toBe(1)
  }
})

test('a machine’s door opens to no person, an admin included', async () => {
  for (const route of machines) {
    for (const token of [undefined, (await friend.session()).token, (await owner.session()).token]) {
      const response = await send(route, token)
      expect(response.status, route.id).toBe(401)
      await expectDeclared(route, response)
    }
  }
})

test('/api/v1 answers as /api does', async () => {
  const { token } = await friend.session()
  for (const path of ['/plex/libraries', '/auth/session', '/plex/items/99999999', '/nothing']) {
    const [plain, versioned] = await Promise.all([
      ask('GET', `/api${path}`, { token }),
      ask('GET', `/api/v1${path}`, { token }),
    ])
    expect(versioned.status, path).toBe(plain.status)
    if (plain.ok) expect(await versioned.json(), path).toEqual(await plain.json())
  }
})
