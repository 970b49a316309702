import { createExecutionContext } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { afterEach, expect, test, vi } from 'vitest'

import { configOf } from '../../../src/config.ts'
import worker from '../../../src/index.ts'
import { createUserStore } from '../../../src/platform/user-store.ts'
import { createVault } from '../../../src/platform/vault.ts'
import { examples } from '../access/examples.ts'
import { askUnder } from '../support/app.ts'
import { forgetFailures } from '../support/breakers.ts'
import {
  ask,
  claimPin,
  expectProblem,
  freshAddress,
  requestOf,
  SignedIn,
  startPin,
  type Ask,
  type Session,
  type Username,
} from '../support/client.ts'
import { requestFor, routes } from '../support/operations.ts'
import { clearFaults, fault, world } from '../support/world.ts'

const plexBreaker = `plex:${world.machineIdentifier}`

afterEach(async () => {
  vi.restoreAllMocks()
  await clearFaults()
  await forgetFailures('plex.tv')
  await forgetFailures(plexBreaker)
})

/** Everything that leaves the Worker: log lines, and answers with their headers. */
function listen() {
  const left: string[] = []
  const patient = askUnder({ BREAKER_FAILURES: '1000', PLEX_TV_TIMEOUT_MS: '300' })
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation((...parts: unknown[]) => {
      left.push(parts.map(String).join(' '))
    })
  const keep = async (response: Response): Promise<string> => {
    const body = await response.text()
    left.push(JSON.stringify([...response.headers]), body)
    return body
  }
  return {
    left,
    ask: async (method: string, path: string, options?: Ask) => keep(await patient(method, path, options)),
  }
}

const users = createUserStore(drizzle(env.DB), createVault(configOf(env).vaultKeys))

async function signedIn(username: Username): Promise<Session> {
  const { data } = SignedIn.parse(await (await claimPin(username)).json())
  return data
}

/** All that must never be seen: what Plex gave us, what we gave others, and what the operator gave us. */
async function secretsOf(sessions: readonly Session[]): Promise<readonly string[]> {
  const tokens = await Promise.all(sessions.map(({ user }) => users.tokens(user.id)))
  const { accessTokenKeys, vaultKeys, downloads, webhooks } = configOf(env)
  const secrets = [
    ...tokens.flatMap((each) => (each ? [each.accountToken, each.serverToken] : [])),
    ...sessions.flatMap(({ accessToken, refreshToken }) => [accessToken, refreshToken]),
    ...[...accessTokenKeys, ...vaultKeys].map(({ secret }) => secret),
    ...downloads.tokens,
    ...[webhooks.overseerr, webhooks.plex, webhooks.github, ...Object.values(webhooks.generic)].flat(),
  ]
  expect(secrets.filter((secret) => secret.length < 16)).toEqual([])
  return secrets
}

function expectNone(left: readonly string[], secrets: readonly string[]): void {
  for (const secret of secrets) expect(left.filter((text) => text.includes(secret))).toEqual([])
}

test('no operation, asked well or badly, lets a secret out, nor does the log', async () => {
  const sessions = [await signedIn('olivia'), await signedIn('frank')]
  const { left, ask: heard } = listen()
  for (const route of routes) {
    if (route.id === 'signOut') continue
    const { method, path, ask: options } = requestFor(route, examples[route.id] ?? {})
    for (const token of [undefined, ...sessions.map(({ accessToken }) => accessToken), 'eyJ.bad.token'])
      await heard(method, path, { ...options, token })
    const query = `X-Plex-Token=${sessions[0]?.refreshToken}&token=${sessions[0]?.accessToken}`
    await heard(method, `${path}?${query}`, options)
  }
  const downloader = configOf(env).downloads.tokens[0]
  await heard('GET', '/api/downloader/link', { token: downloader })
  expect(left.length).toBeGreaterThan(routes.length * 8)
  expectNone(left, await secretsOf(sessions))
})

test('a sign-in, a refresh and a sign-out tell the log nothing', async () => {
  const { left } = listen()
  const session = await signedIn('frank')
  const again = await ask('POST', '/api/auth/refresh', { json: { refreshToken: session.refreshToken } })
  const { data: next } = SignedIn.parse(await again.json())
  const pin = await startPin()
  await ask('GET', `/api/auth/plex/pin/${pin.id}`, {
    headers: { ...freshAddress(), 'x-pin-secret': pin.pinSecret },
  })
  await ask('POST', '/api/auth/refresh', { json: { refreshToken: session.refreshToken } })
  await ask('POST', '/api/auth/sign-out', { token: next.accessToken, json: {} })
  expect(left.length).toBeGreaterThan(6)
  expectNone(left, [...(await secretsOf([session, next])), pin.pinSecret, pin.code])
})

test('what Plex and plex.tv say when they fail is repeated to nobody', async () => {
  const session = await signedIn('olivia')
  const { left, ask: heard } = listen()
  // Short enough for a parser to quote it whole.
  const canary = 'zqCanary'
  const json = { 'content-type': 'application/json' }
  const kinds = [
    { kind: 'status', status: 200, headers: json, body: `{"MediaContainer":{"token":"${canary}` },
    { kind: 'status', status: 200, headers: json, body: canary },
    {
      kind: 'status',
      status: 200,
      headers: json,
      body: `{"id":"${canary}","${canary}":[{"authToken":{"${canary}":1}}]}`,
    },
    { kind: 'status', status: 500, body: canary, headers: { ...json, 'x-error': canary } },
    { kind: 'status', status: 302, headers: { location: `https://evil.example/?${canary}` } },
    { kind: 'html', body: `<title>${canary}</title>` },
  ] as const
  for (const how of kinds) {
    await fault('plexUrl', how)
    await fault('plexTvUrl', how)
    for (const path of ['/api/plex/server', '/api/plex/libraries', '/api/plex/health', '/api/plex/items/1'])
      await heard('GET', path, { token: session.accessToken })
    await heard('POST', '/api/auth/plex/pin', { json: {}, headers: freshAddress() })
    await clearFaults()
  }
  expect(left.some((text) => text.includes('"problem"'))).toBe(true)
  expect(
    left.some((text) => text.includes('SyntaxError')),
    'a parser failed, and was logged',
  ).toBe(true)
  expectNone(left, [canary, ...(await secretsOf([session]))])
})

test('an operator who mixed up settings finds their names in the log, and none of their values', async () => {
  const { left } = listen()
  const canary = 'canary-secret-0123456789'
  const broken = {
    ...env,
    ACCESS_TOKEN_KEYS: canary,
    VAULT_KEYS: `v1:${canary}`,
    PLEX_URL: `ftp://user:${canary}@plex.example`,
    GENERIC_WEBHOOK_SECRETS: JSON.stringify({ [`${canary}/`]: 'short' }),
  }
  const refused = await worker.fetch(requestOf('GET', '/api/health/live'), broken, createExecutionContext())
  left.push(await refused.clone().text())
  await expectProblem(refused, 'not-configured')
  for (const name of ['ACCESS_TOKEN_KEYS', 'VAULT_KEYS', 'PLEX_URL', 'GENERIC_WEBHOOK_SECRETS'])
    expect(
      left.some((text) => text.includes(name)),
      name,
    ).toBe(true)
  expectNone(left, [canary])
})
