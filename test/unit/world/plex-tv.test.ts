import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { startPlexTv, type PlexTv, type PlexTvOptions } from '../../world/plex-tv/plex-tv.ts'

const server = { machineIdentifier: 'abc123', url: 'http://127.0.0.1:32400', name: 'Home' }
const PinBody = z.object({
  id: z.int(),
  code: z.string(),
  authToken: z.string().nullable(),
  expiresIn: z.int(),
})
const Row = z.object({
  name: z.string(),
  clientIdentifier: z.string(),
  accessToken: z.string().nullable(),
  owned: z.unknown(),
  connections: z.array(z.object({ uri: z.string(), local: z.boolean(), relay: z.boolean() })).nullable(),
})

type Ask = { method?: string; token?: string; client?: string; accept?: string; body?: unknown }
type Answer = { status: number; type: string; headers: Headers; body: unknown }

async function ask(plexTv: PlexTv, path: string, options: Ask = {}): Promise<Answer> {
  const client = options.client ?? 'install-1'
  const answer = await fetch(`${plexTv.url}${path}`, {
    method: options.method ?? 'GET',
    headers: {
      accept: options.accept ?? 'application/json',
      ...(client ? { 'x-plex-client-identifier': client } : {}),
      ...(options.token ? { 'x-plex-token': options.token } : {}),
    },
    ...(options.body === undefined ? {} : { body: JSON.stringify(options.body) }),
  })
  const type = answer.headers.get('content-type') ?? ''
  const text = await answer.text()
  return {
    status: answer.status,
    type,
    headers: answer.headers,
    body: type.includes('json') ? JSON.parse(text) : text,
  }
}

async function world(options: PlexTvOptions = {}): Promise<PlexTv & AsyncDisposable> {
  const plexTv = await startPlexTv({ server, ...options })
  return { ...plexTv, [Symbol.asyncDispose]: () => plexTv.close() }
}

async function newPin(
  plexTv: PlexTv,
  query = 'strong=true',
  client?: string,
): Promise<z.output<typeof PinBody>> {
  const made = await ask(plexTv, `/api/v2/pins?${query}`, { method: 'POST', ...(client ? { client } : {}) })
  expect(made.status).toBe(201)
  return PinBody.parse(made.body)
}

async function serverRow(plexTv: PlexTv, token: string): Promise<z.output<typeof Row> | undefined> {
  const rows = z.array(z.unknown()).parse((await ask(plexTv, '/api/v2/resources', { token })).body)
  return rows
    .map((row) => Row.safeParse(row).data)
    .find((row) => row?.clientIdentifier === server.machineIdentifier)
}

test('a strong PIN is claimed on the page and then gives the token to its own client only', async () => {
  await using plexTv = await world()
  const pin = await newPin(plexTv)
  expect(pin).toMatchObject({
    code: expect.stringMatching(/^[a-z0-9]{25}$/),
    authToken: null,
    expiresIn: 1800,
  })
  const pending = await ask(plexTv, `/api/v2/pins/${pin.id}`)
  expect(pending.body).toMatchObject({ id: pin.id, authToken: null })

  const claimed = await ask(plexTv, '/auth/claim', {
    method: 'POST',
    body: { code: pin.code, username: 'frank' },
  })
  expect(claimed.status).toBe(200)
  const other = await ask(plexTv, `/api/v2/pins/${pin.id}`, { client: 'install-2' })
  expect(other).toMatchObject({ status: 404, body: { errors: [{ code: 1020 }] } })
  const { authToken } = PinBody.parse((await ask(plexTv, `/api/v2/pins/${pin.id}`)).body)
  const user = await ask(plexTv, '/api/v2/user', { token: authToken ?? '' })
  expect(user.body).toMatchObject({
    username: 'frank',
    authToken,
    services: [{}, { secret: expect.stringMatching(/./) }],
  })
})

test('a weak PIN has four characters, can be linked by hand and lives for fifteen minutes', async () => {
  let now = 1_764_000_000_000
  await using plexTv = await world({ now: () => now })
  const pin = await newPin(plexTv, '')
  expect(pin).toMatchObject({ code: expect.stringMatching(/^[A-Z0-9]{4}$/), expiresIn: 900 })
  const token = plexTv.issueToken('fatima', 'a phone')
  const linked = await ask(plexTv, `/api/v2/pins/link?code=${pin.code}`, { method: 'PUT', token })
  expect(linked.status).toBe(204)
  now += 899_000
  expect((await ask(plexTv, `/api/v2/pins/${pin.id}`)).body).toMatchObject({ authToken: expect.any(String) })
  now += 1_000
  expect(await ask(plexTv, `/api/v2/pins/${pin.id}`)).toMatchObject({
    status: 404,
    body: { errors: [{ code: 1020, message: 'Code not found or expired', status: 404 }] },
  })
})

test('requests without a client identifier or with an unknown token are refused as plex.tv refuses them', async () => {
  await using plexTv = await world()
  expect(await ask(plexTv, '/api/v2/pins?strong=true', { method: 'POST', client: '' })).toMatchObject({
    status: 400,
    body: { errors: [{ code: 1000, message: 'X-Plex-Client-Identifier is missing', status: 400 }] },
  })
  expect(await ask(plexTv, '/api/v2/user', { token: 'made-up' })).toMatchObject({
    status: 401,
    body: { errors: [{ code: 1001 }] },
  })
})

test('each finished PIN of a client rotates the token before it, and of that client alone', async () => {
  await using plexTv = await world()
  const elsewhere = plexTv.issueToken('frank', 'install-2')
  const first = plexTv.issueToken('frank', 'install-1')
  const pin = await newPin(plexTv)
  expect(plexTv.claim(pin.code, 'frank')).toBe(true)
  expect((await ask(plexTv, '/api/v2/user', { token: first })).status).toBe(401)
  expect((await ask(plexTv, '/api/v2/ping', { token: elsewhere })).body).toEqual({ pong: true })
})

test('signing out revokes the presented token', async () => {
  await using plexTv = await world()
  const token = plexTv.issueToken('frank', 'install-1')
  expect((await ask(plexTv, '/api/v2/users/signout', { method: 'DELETE', token })).status).toBe(204)
  expect((await ask(plexTv, '/api/v2/user', { token })).status).toBe(401)
})

test('resources hold the server among odd rows, with a token that is not the account token', async () => {
  await using plexTv = await world({ ownedAs: '1' })
  const token = plexTv.issueToken('olivia', 'install-1')
  const rows = z
    .array(z.record(z.string(), z.unknown()))
    .parse((await ask(plexTv, '/api/v2/resources', { token })).body)
  expect(rows.some((row) => Object.values(row).every((value) => value === null))).toBe(true)
  expect(rows.some((row) => row['connections'] === null && row['name'] !== null)).toBe(true)
  expect(rows.some((row) => row['provides'] === 'client,player,pubsub-player')).toBe(true)
  const row = await serverRow(plexTv, token)
  expect(row?.owned).toBe('1')
  expect(row?.accessToken).not.toBe(token)
  expect(row?.connections?.filter(({ local, relay }) => !local && !relay)).toMatchObject([
    { uri: server.url },
  ])
  expect(await serverRow(plexTv, plexTv.issueToken('sam', 'install-1'))).toBeUndefined()
})

test('what the Plex server accepts follows grants, revocations and rotations', async () => {
  let changes = 0
  await using plexTv = await world({ onChange: () => (changes += 1) })
  const accountToken = plexTv.issueToken('frank', 'install-1')
  const sections = () => plexTv.plexAccess().map((access) => access.sections.join())
  expect(sections()).toEqual(['1,2,3', '1,3', '2,3'])
  expect(plexTv.plexAccess().map(({ token }) => token)).not.toContain(accountToken)

  const before = (await serverRow(plexTv, accountToken))?.accessToken
  plexTv.rotateServerToken('frank')
  const after = (await serverRow(plexTv, accountToken))?.accessToken
  expect(after).not.toBe(before)
  expect(plexTv.plexAccess().map(({ token }) => token)).toContain(after)

  plexTv.revoke('frank')
  expect(await serverRow(plexTv, accountToken)).toBeUndefined()
  expect(sections()).toEqual(['1,2,3', '2,3'])
  const control = await ask(plexTv, '/__control/grant', {
    method: 'POST',
    body: { username: 'sam', sections: ['2'] },
  })
  expect(control.body).toEqual({ ok: true })
  expect(sections()).toEqual(['1,2,3', '2,3', '2'])
  expect(changes).toBe(4)
})

test("the owner's account token opens their own server, as a real one lets it", async () => {
  await using plexTv = await world()
  const token = plexTv.issueToken('olivia', 'install-1')
  expect(plexTv.plexAccess()).toContainEqual({ token, owner: true, sections: ['1', '2', '3'] })
})

test('a snapshot keeps tokens and PINs across a restart', async () => {
  let snapshot
  let pin
  let token
  {
    await using plexTv = await world()
    token = plexTv.issueToken('fatima', 'install-1')
    pin = await newPin(plexTv)
    snapshot = JSON.parse(JSON.stringify(plexTv.snapshot()))
  }
  await using plexTv = await world({ state: snapshot })
  expect((await ask(plexTv, '/api/v2/user', { token })).body).toMatchObject({ username: 'fatima' })
  expect(plexTv.claim(pin.code, 'olivia')).toBe(true)
  expect((await newPin(plexTv)).id).toBe(pin.id + 1)
  expect(plexTv.snapshot()).not.toEqual(snapshot)
})

test('too many requests are answered with 429, with and without Retry-After', async () => {
  await using plexTv = await world()
  plexTv.rateLimit({ retryAfterSeconds: 7 })
  plexTv.rateLimit({})
  const first = await ask(plexTv, '/api/v2/ping')
  expect(first).toMatchObject({ status: 429, body: { errors: [{ code: 1003 }] } })
  expect(first.headers.get('retry-after')).toBe('7')
  const second = await ask(plexTv, '/api/v2/ping')
  expect(second.status).toBe(429)
  expect(second.headers.has('retry-after')).toBe(false)
  expect((await ask(plexTv, '/api/v2/ping')).status).toBe(401)
})

test('a client that does not ask for JSON gets XML', async () => {
  await using plexTv = await world()
  const answer = await ask(plexTv, '/api/v2/pins', { method: 'POST', accept: '*/*' })
  expect(answer.type).toContain('xml')
  expect(answer.body).toMatch(/^<\?xml.*\n<pins id="\d+" code="/)
})

test('the sign-in page offers every account and loads nothing from outside', async () => {
  await using plexTv = await world()
  const page = await ask(plexTv, '/auth')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'none'")
  const html = z.string().parse(page.body)
  expect([...html.matchAll(/data-username="(\w+)"/g)].map((match) => match[1])).toEqual([
    'olivia',
    'frank',
    'fatima',
    'sam',
  ])
  expect(html).not.toMatch(/(?:src|href)=/)
  const unknown = await ask(plexTv, '/auth/claim', {
    method: 'POST',
    body: { code: 'nope', username: 'sam' },
  })
  expect(unknown.status).toBe(404)
})

test('choosing an account on the page claims the PIN named behind the # and goes back to the app', async () => {
  await using plexTv = await world()
  const pin = await newPin(plexTv)
  const html = z.string().parse((await ask(plexTv, '/auth')).body)
  const script = /<script nonce="\w+">(.*?)<\/script>/s.exec(html)?.[1] ?? ''
  let click: () => Promise<void> = async () => {}
  const addEventListener = (_event: string, listener: () => Promise<void>) => (click = listener)
  const button = { dataset: { username: 'frank' }, disabled: false, addEventListener }
  const text = { textContent: '', className: '' }
  const asked = { clientID: 'install-1', code: pin.code, 'context[device][product]': 'MediaNest' }
  const back = 'https://app.example/signed-in?pin=1'
  const location = { hash: `#!?${new URLSearchParams({ ...asked, forwardUrl: back })}`, search: '', href: '' }
  const document = { querySelectorAll: () => [button], getElementById: () => text }
  const send = (path: string, init: RequestInit) => fetch(plexTv.url + path, init)
  runInNewContext(script, { location, document, URLSearchParams, fetch: send })
  expect(text.textContent).toBe('MediaNest')
  await click()
  expect(location.href).toBe(back)
  const { authToken } = PinBody.parse((await ask(plexTv, `/api/v2/pins/${pin.id}`)).body)
  expect((await ask(plexTv, '/api/v2/user', { token: authToken ?? '' })).body).toMatchObject({
    username: 'frank',
  })
})
