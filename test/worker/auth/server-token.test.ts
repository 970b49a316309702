import { env } from 'cloudflare:workers'
import { afterEach, expect, test } from 'vitest'

import { askUnder } from '../support/app.ts'
import { forgetFailures } from '../support/breakers.ts'
import { ask, expectProblem, signIn, type Session } from '../support/client.ts'
import { clearFaults, control, fault, forgetSeen, seen } from '../support/world.ts'

afterEach(async () => {
  await clearFaults()
  await control('plexTvUrl', 'grant', { username: 'frank', sections: ['1', '3'] })
})

const read = (session: Session, path: string, through = ask) =>
  through('GET', `/api/plex/${path}`, { token: session.accessToken })
const askedPlexTv = async () => (await seen('plexTvUrl')).map(({ path }) => path)
const rotate = () => control('plexTvUrl', 'rotate-server-token', { username: 'frank' })

test('a server token that Plex has replaced is found again while reading', async () => {
  const session = await signIn('frank')
  await rotate()
  await forgetSeen('plexTvUrl')
  const response = await read(session, 'libraries')
  expect(await response.json()).toMatchObject({ data: [{ key: '1' }, { key: '3' }] })
  expect(await askedPlexTv()).toEqual(['/api/v2/resources'])
  expect((await read(session, 'server')).status).toBe(200)
  expect(await askedPlexTv()).toHaveLength(1)
})

test('all of the reads that meet the replaced token succeed, not the first alone', async () => {
  const session = await signIn('frank')
  await rotate()
  const paths = [
    'libraries',
    'server',
    'recently-added',
    'libraries/1/items',
    'libraries/3/items',
    'search?query=a',
  ]
  const answers = await Promise.all(paths.map((path) => read(session, path)))
  expect(answers.map(({ status }) => status)).toEqual(paths.map(() => 200))
})

test('a refresh finds the replaced server token before a read has to', async () => {
  const session = await signIn('frank')
  expect((await read(session, 'libraries')).headers.get('x-cache')).toBe('MISS')
  await rotate()
  await env.USER_GATE.getByName(session.user.id).confirm('user', Date.now() - 6 * 60_000)
  const response = await ask('POST', '/api/auth/refresh', { json: { refreshToken: session.refreshToken } })
  expect(response.status).toBe(200)
  await forgetSeen('plexTvUrl')
  const again = await read(session, 'libraries')
  expect(again.status).toBe(200)
  expect(again.headers.get('x-cache'), 'another share may see other things').toBe('MISS')
  expect(await askedPlexTv()).toEqual([])
})

test('who lost access learns so from Plex’s refusal, and is out at once', async () => {
  const [phone, laptop] = [await signIn('frank'), await signIn('frank')]
  await control('plexTvUrl', 'revoke', { username: 'frank' })
  await expectProblem(await read(phone, 'libraries'), 'not-a-member')
  await expectProblem(await read(phone, 'libraries'), 'session-revoked')
  await expectProblem(await read(laptop, 'libraries'), 'session-revoked')
})

test('what was cached before access was lost is out of reach after it is given again', async () => {
  const before = await signIn('frank')
  await read(before, 'libraries')
  expect((await read(before, 'libraries')).headers.get('x-cache')).toBe('HIT')
  await control('plexTvUrl', 'revoke', { username: 'frank' })
  await expectProblem(await read(before, 'server'), 'not-a-member')
  await control('plexTvUrl', 'grant', { username: 'frank', sections: ['1'] })
  const after = await read(await signIn('frank'), 'libraries')
  expect(after.headers.get('x-cache')).toBe('MISS')
  expect(await after.json()).toMatchObject({ data: [{ key: '1' }], meta: { count: 1 } })
})

test('a refusal that plex.tv cannot explain ends nothing', async () => {
  const patient = askUnder({ PLEX_TV_TIMEOUT_MS: '300', BREAKER_FAILURES: '1000' })
  const session = await signIn('frank')
  await rotate()
  await fault('plexTvUrl', { kind: 'status', status: 503 })
  await expectProblem(await read(session, 'libraries', patient), 'plex-tv-unavailable')
  await clearFaults()
  await forgetFailures('plex.tv')
  expect((await read(session, 'libraries')).status).toBe(200)
})

test('a token that Plex refuses although plex.tv stands by it asks for a new sign-in', async () => {
  const session = await signIn('frank')
  await fault('plexUrl', { kind: 'status', status: 401 })
  await expectProblem(await read(session, 'libraries'), 'plex-sign-in-required')
})
