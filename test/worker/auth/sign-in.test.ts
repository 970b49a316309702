import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import * as z from 'zod'

import { configOf } from '../../../src/config.ts'
import { createVault } from '../../../src/platform/vault.ts'
import { askUnder } from '../support/app.ts'
import {
  ask,
  claimPin,
  expectData,
  expectProblem,
  freshAddress,
  signIn,
  startPin,
  type Username,
} from '../support/client.ts'
import { control, forgetSeen, seen, world } from '../support/world.ts'

const poll = (id: string, pinSecret?: string, headers = freshAddress()) =>
  ask('GET', `/api/auth/plex/pin/${id}`, {
    headers: { ...headers, ...(pinSecret !== undefined && { 'x-pin-secret': pinSecret }) },
  })

const claim = (code: string, username: Username) => control('plexTvUrl', 'claim', { code, username })

const secretOf = (pinId: string, expiresAt: number) =>
  createVault(configOf(env).vaultKeys).seal(String(expiresAt), `pin:${pinId}`)

test('the owner of the server becomes an admin, a friend a user', async () => {
  const owner = await signIn('olivia')
  const friend = await signIn('frank')
  expect(owner.user.role).toBe('admin')
  expect(friend.user.role).toBe('user')
  const me = await ask('GET', '/api/auth/session', { token: friend.accessToken })
  expect(await me.json()).toMatchObject({ data: { user: { username: 'frank', role: 'user' } } })
})

test('whoever the operator names is an admin too', async () => {
  const { user } = await signIn('fatima')
  const named = askUnder({ PLEX_ADMIN_USER_ID: user.id })
  const pin = await startPin()
  await claim(pin.code, 'fatima')
  const response = await named('GET', `/api/auth/plex/pin/${pin.id}`, {
    headers: { ...freshAddress(), 'x-pin-secret': pin.pinSecret },
  })
  expect(await response.json()).toMatchObject({ data: { user: { username: 'fatima', role: 'admin' } } })
  await signIn('fatima')
})

test('the address to approve at names our installation and the code, and no secret', async () => {
  const pin = await startPin()
  expect(pin.authUrl.startsWith(`${world.plexTvUrl}/auth#?`)).toBe(true)
  const parameters = new URLSearchParams(pin.authUrl.split('#?')[1])
  expect(parameters.get('code')).toBe(pin.code)
  expect(parameters.get('clientID')).toBe('medianest-tests')
  expect(pin.code.length).toBeGreaterThan(20)
  expect(pin.authUrl).not.toContain(pin.pinSecret)
})

test('until it is approved a sign-in is pending', async () => {
  const pin = await startPin()
  const Pending = z.object({
    data: z.strictObject({ state: z.literal('pending'), pollSeconds: z.literal(1) }),
  })
  await expectData(await poll(pin.id, pin.pinSecret), 202, Pending)
})

test('an approved sign-in is handed to who started it, not to who knows its number', async () => {
  const [pin, another] = [await startPin(), await startPin()]
  await claim(pin.code, 'frank')
  await forgetSeen('plexTvUrl')
  await expectProblem(await poll(pin.id), 'not-found')
  await expectProblem(await poll(pin.id, another.pinSecret), 'not-found')
  await expectProblem(await poll(pin.id, `${pin.pinSecret.slice(0, -2)}xx`), 'not-found')
  await expectProblem(await poll(pin.id, ''), 'not-found')
  expect(await seen('plexTvUrl')).toEqual([])
  expect((await poll(pin.id, pin.pinSecret)).status).toBe(200)
})

test('a sign-in opens one session, however often and however fast it is asked for', async () => {
  const pin = await startPin()
  await claim(pin.code, 'frank')
  const answers = await Promise.all(Array.from({ length: 5 }, () => poll(pin.id, pin.pinSecret)))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 410, 410, 410, 410])
  await expectProblem(await poll(pin.id, pin.pinSecret), 'pin-expired')
})

test('an expired sign-in says so, by our clock and by plex.tv’s word', async () => {
  const pin = await startPin()
  await claim(pin.code, 'frank')
  await expectProblem(await poll(pin.id, await secretOf(pin.id, Date.now() - 1_000)), 'pin-expired')
  const forgotten = '123456789'
  await expectProblem(await poll(forgotten, await secretOf(forgotten, Date.now() + 60_000)), 'pin-expired')
})

test('an account without access to the server gets no session', async () => {
  const response = await claimPin('sam')
  expect(response.headers.getSetCookie().filter((cookie) => /access|refresh/.test(cookie))).toEqual([])
  await expectProblem(response, 'not-a-member')
})

test('a page elsewhere is not where Plex sends the browser back to', async () => {
  const start = (forwardUrl: string) =>
    ask('POST', '/api/auth/plex/pin', { json: { forwardUrl }, headers: freshAddress() })
  await forgetSeen('plexTvUrl')
  for (const foreign of ['https://evil.example/', 'https://app.example.evil.example/', 'http://app.example/'])
    await expectProblem(await start(foreign), 'origin-refused')
  for (const odd of ['javascript:alert(1)', '//app.example/', 'app.example', ''])
    await expectProblem(await start(odd), 'invalid-request')
  expect(await seen('plexTvUrl')).toEqual([])

  for (const ours of ['https://medianest.example/done?a=1&b=2', 'https://app.example/']) {
    const { data } = await expectData(
      await start(ours),
      201,
      z.object({ data: z.object({ authUrl: z.url() }) }),
    )
    expect(new URLSearchParams(data.authUrl.split('#?')[1]).get('forwardUrl')).toBe(ours)
  }
})

test('the eleventh attempt from one address waits, another address does not', async () => {
  const headers = freshAddress()
  const start = (from: Record<string, string>) =>
    ask('POST', '/api/auth/plex/pin', { json: {}, headers: from })
  const answers = await Promise.all(Array.from({ length: 10 }, () => start(headers)))
  expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]))
  expect(
    answers.map((answer) => Number(answer.headers.get('x-ratelimit-remaining'))).toSorted((a, b) => a - b),
  ).toEqual(Array.from({ length: 10 }, (_, left) => left))
  const refused = await start(headers)
  expect(refused.headers.get('ratelimit-policy')).toBe('"sign-in";q=10;w=900')
  expect(refused.headers.get('x-ratelimit-remaining')).toBe('0')
  const { retryAfter, limit, windowSeconds } = await expectProblem(refused, 'rate-limited')
  expect([limit, windowSeconds]).toEqual([10, 900])
  expect(Number(retryAfter)).toBeGreaterThan(890)
  expect((await start(freshAddress())).status).toBe(201)
})

test('an address that is out of attempts may still ask about the one it started', async () => {
  const headers = freshAddress()
  const pin = await startPin(headers)
  for (let attempt = 0; attempt < 10; attempt += 1)
    await ask('POST', '/api/auth/plex/pin', { json: {}, headers })
  const pending = await poll(pin.id, pin.pinSecret, headers)
  expect(pending.status).toBe(202)
  expect(pending.headers.get('ratelimit-policy')).toBe('"sign-in-poll";q=1000;w=900')
})
