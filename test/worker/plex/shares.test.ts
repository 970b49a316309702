import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { clientOf } from '../live/support.ts'
import { ask, expectData, expectProblem, signIn, type Session } from '../support/client.ts'
import { clearFaults, control, fault } from '../support/world.ts'
import { age, Libraries, read, startOver } from './support.ts'

const share = (sections: readonly string[]) => control('plexTvUrl', 'grant', { username: 'frank', sections })

beforeEach(startOver)
afterEach(async () => {
  await share(['1', '3'])
  await startOver()
})

const keysOf = async (session: Session) =>
  (await expectData(await read('/libraries', session), 200, Libraries)).data.map(({ key }) => key)
const stateOf = async (path: string, session: Session) => (await read(path, session)).headers.get('x-cache')
const hour = 3_600_000

/** Frank, with a page of each of his libraries in the cache. */
async function frankWithPages(): Promise<Session> {
  const frank = await signIn('frank')
  expect(await keysOf(frank)).toEqual(['1', '3'])
  for (const path of ['/libraries/1/items', '/libraries/3/items']) {
    await read(path, frank)
    expect(await stateOf(path, frank)).toBe('HIT')
  }
  return frank
}

test('a library that is seen to be gone takes all that was cached of it along, even while Plex is away', async () => {
  const frank = await frankWithPages()
  await share(['1'])
  await age(2 * hour)
  expect(await keysOf(frank)).toEqual(['1'])
  await fault('plexUrl', { kind: 'html' })
  await expectProblem(await read('/libraries/3/items', frank), 'upstream-invalid')
  await expectProblem(await read('/libraries/1/items', frank), 'upstream-invalid')
  await clearFaults()
  await expectProblem(await read('/libraries/3/items', frank), 'not-found')
  expect(await stateOf('/libraries/1/items', frank)).toBe('MISS')
  expect(await keysOf(frank)).toEqual(['1'])
})

test('a library that is shared since is in every answer from then on', async () => {
  const frank = await frankWithPages()
  await read('/recently-added', frank)
  await share(['1', '2', '3'])
  await age(2 * hour)
  expect(await keysOf(frank)).toEqual(['1', '2', '3'])
  expect(await stateOf('/recently-added', frank)).toBe('MISS')
})

test('the same list again changes nothing', async () => {
  const frank = await frankWithPages()
  await age(2 * hour)
  expect(await keysOf(frank)).toEqual(['1', '3'])
  await read('/libraries/1/items', frank)
  expect(await stateOf('/libraries/1/items', frank)).toBe('HIT')
})

const renew = async ({ user, refreshToken }: Session) => {
  await env.USER_GATE.getByName(user.id).confirm('user', Date.now() - 6 * 60_000)
  return ask('POST', '/api/auth/refresh', { json: { refreshToken } })
}

test('a renewed sign-in asks what is shared, so that no cache outlives a share by more than a token', async () => {
  const frank = await frankWithPages()
  await share(['1'])
  expect((await renew(frank)).status).toBe(200)
  await expectProblem(await read('/libraries/3/items', frank), 'not-found')
  expect(await keysOf(frank)).toEqual(['1'])
})

test('a sign-in is renewed all the same when Plex cannot say what it shares', async () => {
  const frank = await frankWithPages()
  await fault('plexUrl', { kind: 'hang' })
  const startedAt = Date.now()
  expect((await renew(frank)).status).toBe(200)
  expect(Date.now() - startedAt).toBeLessThan(4_000)
  await clearFaults()
  expect(await stateOf('/libraries/3/items', frank)).toBe('HIT')
})

test('who listens under a share that has changed is asked to come back', async () => {
  const frank = await frankWithPages()
  const headers = { upgrade: 'websocket' }
  const connect = () => ask('GET', '/api/live', { token: frank.accessToken, headers })
  const client = clientOf(await connect())
  await client.frame()
  await share(['1'])
  await age(2 * hour)
  await keysOf(frank)
  expect((await client.closed).code).toBe(4408)
  expect((await connect()).status).toBe(101)
})
