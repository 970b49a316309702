import { expect, test } from 'vitest'

import { ask, expectProblem, freshAddress, origin, type Username } from '../support/client.ts'
import { cookieHeader, cookiesOf, type Cookie } from '../support/cookies.ts'
import { control } from '../support/world.ts'

const [access, refresh, pin] = ['access', 'refresh', 'pin'].map((name) => `__Host-medianest-${name}`) as [
  string,
  string,
  string,
]
const attributes = ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']
const attributesOf = (cookie: Cookie | undefined) =>
  cookie?.attributes.filter((each) => !each.startsWith('Max-Age=')).toSorted()

/** Signs in as a browser does: what proves the attempt, and then the session, are cookies. */
async function signInBrowser(username: Username) {
  const headers = freshAddress()
  const started = await ask('POST', '/api/auth/plex/pin', { json: {}, headers: { ...headers, origin } })
  const { data } = await started.json<{ data: { id: string; code: string } }>()
  await control('plexTvUrl', 'claim', { code: data.code, username })
  const finished = await ask('GET', `/api/auth/plex/pin/${data.id}`, {
    headers: { ...headers, ...cookieHeader(cookiesOf(started)) },
  })
  return { started, finished, jar: cookiesOf(finished) }
}

const session = (cookies: Record<string, Cookie>) =>
  ask('GET', '/api/auth/session', { headers: cookieHeader(cookies) })
const pick = (jar: Readonly<Record<string, Cookie>>, name: string) => {
  const cookie = jar[name]
  return cookie ? { [name]: cookie } : {}
}

test('a browser’s tokens travel in cookies that no script can read, and nowhere else', async () => {
  const { started, finished, jar } = await signInBrowser('frank')
  expect(attributesOf(cookiesOf(started)[pin])).toEqual(attributes.toSorted())
  expect(finished.status).toBe(200)
  const body = await finished.text()
  for (const name of [access, refresh]) {
    expect(attributesOf(jar[name]), name).toEqual(attributes.toSorted())
    expect(body).not.toContain(jar[name]?.value)
  }
  expect(jar[pin]?.attributes).toContain('Max-Age=0')
  expect(body).not.toMatch(/token"|mnr_|eyJ/)
  expect(finished.headers.get('cache-control')).toBe('no-store')
  expect((await session(pick(jar, access))).status).toBe(200)
  await expectProblem(await session(pick(jar, refresh)), 'unauthenticated')
})

test('what changes something needs to come from a page of ours when it comes with cookies', async () => {
  const { jar } = await signInBrowser('frank')
  const headers = cookieHeader(jar)
  const signOut = (extra: Record<string, string>) =>
    ask('POST', '/api/auth/sign-out', { json: {}, headers: { ...headers, ...extra } })
  const foreign = [
    {},
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: `${origin}.evil.example` },
  ]
  for (const each of foreign) await expectProblem(await signOut(each), 'origin-refused')
  await expectProblem(
    await ask('POST', '/api/auth/refresh', {
      json: {},
      headers: { ...headers, origin: 'https://evil.example' },
    }),
    'origin-refused',
  )
  expect((await session(jar)).status).toBe(200)
  expect((await signOut({ origin: 'https://app.example' })).status).toBe(204)
  await expectProblem(await session(jar), 'session-revoked')
})

test('a socket that a foreign page opens with our cookies is refused', async () => {
  const { jar } = await signInBrowser('frank')
  const headers = { ...cookieHeader(jar), upgrade: 'websocket', origin: 'https://evil.example' }
  await expectProblem(await ask('GET', '/api/live', { headers }), 'origin-refused')
})

test('reading needs no origin, since another page cannot read the answer', async () => {
  const { jar } = await signInBrowser('frank')
  const response = await ask('GET', '/api/auth/session', {
    headers: { ...cookieHeader(jar), origin: 'https://evil.example' },
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})

test('a bearer token needs no origin, since no browser sends one by itself', async () => {
  const { jar } = await signInBrowser('frank')
  const response = await ask('POST', '/api/auth/sign-out', {
    token: jar[access]?.value,
    json: {},
    headers: { origin: 'https://evil.example' },
  })
  expect(response.status).toBe(204)
})

test('a browser refreshes by cookie and gets cookies again', async () => {
  const { jar } = await signInBrowser('frank')
  const response = await ask('POST', '/api/auth/refresh', {
    json: {},
    headers: { ...cookieHeader(jar), origin },
  })
  expect(response.status).toBe(200)
  const next = cookiesOf(response)
  expect(next[refresh]?.value).not.toBe(jar[refresh]?.value)
  expect(await response.text()).not.toMatch(/token"|mnr_|eyJ/)
  expect((await session(next)).status).toBe(200)
})

test('signing out takes the cookies away', async () => {
  const { jar } = await signInBrowser('frank')
  const response = await ask('POST', '/api/auth/sign-out', {
    json: {},
    headers: { ...cookieHeader(jar), origin },
  })
  expect(response.status).toBe(204)
  for (const name of [access, refresh]) expect(cookiesOf(response)[name]?.attributes).toContain('Max-Age=0')
})

test('a cookie that cannot be decoded is no credential and no failure', async () => {
  for (const value of ['%ZZ', '"', ' ', 'a;b', '%E0%A4%A'])
    await expectProblem(
      await ask('GET', '/api/auth/session', { headers: { cookie: `${access}=${value}` } }),
      'unauthenticated',
    )
})
