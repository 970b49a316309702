import { env } from 'cloudflare:workers'
import { afterEach, expect, test } from 'vitest'

import { askUnder } from '../support/app.ts'
import { forgetFailures } from '../support/breakers.ts'
import { ask, expectData, expectProblem, signIn, SignedIn, type Session } from '../support/client.ts'
import { clearFaults, control, fault, forgetSeen, seen } from '../support/world.ts'

/** Never so disappointed by plex.tv that it stops to ask. */
const patient = askUnder({ PLEX_TV_TIMEOUT_MS: '300', BREAKER_FAILURES: '1000' })

const minuteMs = 60_000

afterEach(async () => {
  await clearFaults()
  await control('plexTvUrl', 'grant', { username: 'frank', sections: ['1', '3'] })
})

const refresh = (refreshToken: unknown, through = ask) =>
  through('POST', '/api/auth/refresh', { json: { refreshToken } })
const refreshed = async (response: Response) => (await expectData(response, 200, SignedIn)).data
const whoAmI = ({ accessToken }: Pick<Session, 'accessToken'>) =>
  ask('GET', '/api/auth/session', { token: accessToken })

/** As if plex.tv had last been asked about the account that long ago. */
const lastConfirmed = ({ user }: Session, agoMs: number) =>
  env.USER_GATE.getByName(user.id).confirm(user.role, Date.now() - agoMs)

test('a refresh token is good for one exchange', async () => {
  const first = await signIn('frank')
  const second = await refreshed(await refresh(first.refreshToken))
  expect(second.user).toEqual(first.user)
  expect(second.refreshToken).not.toBe(first.refreshToken)
  expect((await whoAmI(second)).status).toBe(200)
  const third = await refreshed(await refresh(second.refreshToken))
  expect((await whoAmI(third)).status).toBe(200)
})

test('a refresh token that comes back was stolen, so the session ends for everybody who holds a part of it', async () => {
  const first = await signIn('frank')
  const elsewhere = await signIn('frank')
  const second = await refreshed(await refresh(first.refreshToken))
  await expectProblem(await refresh(first.refreshToken), 'session-revoked')
  await expectProblem(await whoAmI(first), 'session-revoked')
  await expectProblem(await whoAmI(second), 'session-revoked')
  await expectProblem(await refresh(second.refreshToken), 'session-revoked')
  expect((await whoAmI(elsewhere)).status).toBe(200)
})

test('of refreshes at the same moment one is granted at most', async () => {
  const { refreshToken } = await signIn('frank')
  const answers = await Promise.all(Array.from({ length: 8 }, () => refresh(refreshToken)))
  expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1)
  expect(answers.filter(({ status }) => status !== 200 && status !== 401)).toEqual([])
})

test('a refresh token that is not ours gets nowhere, and harms no session', async () => {
  const mine = await signIn('frank')
  const theirs = await signIn('fatima')
  for (const odd of [undefined, '', 'x', `${mine.refreshToken}x`, mine.accessToken])
    await expectProblem(await refresh(odd), 'unauthenticated')
  await expectProblem(
    await ask('POST', '/api/auth/refresh', { json: { refreshToken: 5 } }),
    'invalid-request',
  )
  const crossed = theirs.refreshToken.replace(`mnr_${theirs.user.id}`, `mnr_${mine.user.id}`)
  expect(crossed).not.toBe(theirs.refreshToken)
  await expectProblem(await refresh(crossed), 'session-revoked')
  expect((await whoAmI(mine)).status).toBe(200)
  expect((await whoAmI(theirs)).status).toBe(200)
})

test('an account that was just confirmed is not asked about again', async () => {
  const session = await signIn('frank')
  await lastConfirmed(session, 4 * minuteMs)
  await forgetSeen('plexTvUrl')
  await refreshed(await refresh(session.refreshToken))
  expect(await seen('plexTvUrl')).toEqual([])
})

test('who lost access to the server is out at the next refresh, on every device and at once', async () => {
  const [phone, laptop] = [await signIn('frank'), await signIn('frank')]
  await control('plexTvUrl', 'revoke', { username: 'frank' })
  await lastConfirmed(phone, 6 * minuteMs)
  await expectProblem(await refresh(phone.refreshToken), 'not-a-member')
  await expectProblem(await whoAmI(phone), 'session-revoked')
  await expectProblem(await whoAmI(laptop), 'session-revoked')
  await expectProblem(await refresh(laptop.refreshToken), 'session-revoked')
})

test('whose sign-in Plex no longer accepts has to sign in again', async () => {
  const session = await signIn('frank')
  await control('plexTvUrl', 'revoke-tokens', { username: 'frank' })
  await lastConfirmed(session, 6 * minuteMs)
  await expectProblem(await refresh(session.refreshToken), 'plex-sign-in-required')
  await expectProblem(await whoAmI(session), 'session-revoked')
  expect((await whoAmI(await signIn('frank'))).status).toBe(200)
})

test('while plex.tv is away its last word counts for a day, and then no more', async () => {
  const session = await signIn('frank')
  await fault('plexTvUrl', { kind: 'status', status: 500 })
  await lastConfirmed(session, 23 * 60 * minuteMs)
  const second = await refreshed(await refresh(session.refreshToken, patient))
  await lastConfirmed(session, 25 * 60 * minuteMs)
  await expectProblem(await refresh(second.refreshToken, patient), 'plex-tv-unavailable')
  await forgetFailures('plex.tv')
  await clearFaults()
  // Nothing was spent on the way: the same token is still good.
  const third = await refreshed(await refresh(second.refreshToken))
  expect((await whoAmI(third)).status).toBe(200)
})

test('an admin who no longer owns the server is none after the next refresh', async () => {
  const named = askUnder({ PLEX_ADMIN_USER_ID: (await signIn('frank')).user.id })
  const session = await signIn('frank')
  await lastConfirmed(session, 6 * minuteMs)
  const admin = await refreshed(await refresh(session.refreshToken, named))
  expect(admin.user.role).toBe('admin')
  expect((await ask('GET', '/api/webhooks/stats', { token: admin.accessToken })).status).toBe(200)
  await lastConfirmed(session, 6 * minuteMs)
  const user = await refreshed(await refresh(admin.refreshToken))
  expect(user.user.role).toBe('user')
  await expectProblem(await ask('GET', '/api/webhooks/stats', { token: admin.accessToken }), 'forbidden')
})

test('signing out ends this session and its refresh token, and no other', async () => {
  const [here, there] = [await signIn('frank'), await signIn('frank')]
  const left = await ask('POST', '/api/auth/sign-out', { token: here.accessToken, json: {} })
  expect(left.status).toBe(204)
  await expectProblem(await whoAmI(here), 'session-revoked')
  await expectProblem(await refresh(here.refreshToken), 'session-revoked')
  expect((await whoAmI(there)).status).toBe(200)
})

test('signing out everywhere ends all of one’s sessions, and nobody else’s', async () => {
  const [here, there, other] = [await signIn('frank'), await signIn('frank'), await signIn('fatima')]
  const left = await ask('POST', '/api/auth/sign-out', {
    token: here.accessToken,
    json: { everywhere: true },
  })
  expect(left.status).toBe(204)
  for (const session of [here, there]) {
    await expectProblem(await whoAmI(session), 'session-revoked')
    await expectProblem(await refresh(session.refreshToken), 'session-revoked')
  }
  expect((await whoAmI(other)).status).toBe(200)
})
