import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { afterEach, expect, test } from 'vitest'

import type { BreakerState } from '#resilience/breaker.ts'

import { configOf } from '../../../src/config.ts'
import { createPlexProbe } from '../../../src/platform/plex-probe.ts'
import { createUserStore } from '../../../src/platform/user-store.ts'
import { createVault } from '../../../src/platform/vault.ts'
import { signIn } from '../support/client.ts'
import { control, fault, world, type Fault } from '../support/world.ts'
import { askedOfPlex, startOver } from './support.ts'

afterEach(startOver)

const closed: BreakerState = { kind: 'closed', generation: 0, failures: [] }
const open: BreakerState = { kind: 'open', generation: 1, since: 0, until: 1, failedProbes: 0 }

const nobody = async (): Promise<readonly string[]> => []

function create({ state = closed, url = world.plexUrl, ownerTokens = nobody, now = Date.now } = {}) {
  const unused = async () => Promise.reject(new Error('a probe is not a call'))
  const breaker = { admit: unused, settle: unused, state: async () => state }
  const { machineIdentifier } = world
  return createPlexProbe({ url, machineIdentifier, breaker, ownerTokens, timeoutMs: 150, now })
}
const probe = (options = {}) => create(options)()

const ownerToken = async () => {
  const { user } = await signIn('olivia')
  const [token = ''] = await createUserStore(
    drizzle(env.DB),
    createVault(configOf(env).vaultKeys),
  ).ownerServerTokens()
  expect(user.role).toBe('admin')
  return token
}

test('a Plex that answers as itself is healthy, and is asked without a token', async () => {
  const asked = await askedOfPlex(async () => {
    expect(await probe()).toEqual({ status: 'healthy', latencyMs: expect.any(Number) })
  })
  expect(asked).toMatchObject([{ path: '/identity', query: '' }])
})

const body = (value: unknown) => JSON.stringify(value)
const rows: readonly { name: string; fault: Fault; status: string; cause: string }[] = [
  { name: 'hangs', fault: { kind: 'hang' }, status: 'unhealthy', cause: 'timeout' },
  { name: 'resets', fault: { kind: 'reset' }, status: 'unhealthy', cause: 'unreachable' },
  { name: 'fails', fault: { kind: 'status', status: 500 }, status: 'unhealthy', cause: 'invalid-answer' },
  { name: 'is a sign-in page', fault: { kind: 'html' }, status: 'unhealthy', cause: 'invalid-answer' },
  {
    name: 'leads elsewhere',
    fault: { kind: 'status', status: 302, headers: { location: '/login' } },
    status: 'unhealthy',
    cause: 'invalid-answer',
  },
  { name: 'is no Plex', fault: { kind: 'wrong-types' }, status: 'unhealthy', cause: 'invalid-answer' },
  {
    name: 'never ends',
    fault: { kind: 'html', body: 'x'.repeat(100_000) },
    status: 'unhealthy',
    cause: 'invalid-answer',
  },
  {
    name: 'is another server',
    fault: { kind: 'wrong-types', body: body({ MediaContainer: { machineIdentifier: 'f'.repeat(40) } }) },
    status: 'unhealthy',
    cause: 'wrong-server',
  },
]
for (const { name, fault: trouble, status, cause } of rows) {
  test(`what ${name} is ${status}: ${cause}`, async () => {
    await fault('plexUrl', trouble)
    expect(await probe()).toMatchObject({ status, cause })
  })
}

const refused = { status: 'degraded', cause: 'token-refused', latencyMs: expect.any(Number) }

test('a Plex that refuses the owner is degraded, not down', async () => {
  expect(await probe({ ownerTokens: async () => ['no-such-token', 'nor-this'] })).toEqual(refused)
})

test('one good token of an owner is enough', async () => {
  const good = await ownerToken()
  expect(await probe({ ownerTokens: async () => ['no-such-token', good] })).toMatchObject({
    status: 'healthy',
  })
})

test('no token is shown to another server, nor to one that is starting up', async () => {
  const tokens = async () => Promise.reject(new Error('not to be asked for'))
  await fault('plexUrl', {
    kind: 'wrong-types',
    body: body({ MediaContainer: { machineIdentifier: 'f'.repeat(40) } }),
  })
  const asked = await askedOfPlex(async () => {
    expect(await probe({ ownerTokens: tokens })).toMatchObject({ cause: 'wrong-server' })
  })
  expect(asked).toMatchObject([{ path: '/identity' }])
})

test('a token that cannot be read or tried is no refusal', async () => {
  const tokens = async () => Promise.reject(new Error('no database'))
  expect(await probe({ ownerTokens: tokens })).toMatchObject({ status: 'healthy' })
  const breakdown = async () => {
    await fault('plexUrl', { kind: 'hang' })
    return ['any']
  }
  expect(await probe({ ownerTokens: breakdown })).toMatchObject({ status: 'healthy' })
})

test('a token is tried again after half a minute, not each time', async () => {
  let now = 0
  let tried = 0
  const ask = create({
    now: () => now,
    ownerTokens: async () => {
      tried += 1
      return ['no-such-token']
    },
  })
  for (; now <= 60_000; now += 2_000) expect(await ask()).toMatchObject({ cause: 'token-refused' })
  expect(tried).toBe(3)
})

const https = world.plexUrl.replace('http:', 'https:')
for (const [url, cause] of [
  ['http://nobody.invalid', 'dns'],
  ['https://nobody.invalid:32400', 'dns'],
  [https, 'tls'],
  ['https://127.0.0.1:9', 'unreachable'],
] as const) {
  test(`${url.replace(/:\d+$/, '')} fails by ${cause}`, async () => {
    expect(await probe({ url })).toEqual({ status: 'unhealthy', cause })
  })
}

test.each([
  [530, 'error code: 1016', 'dns'],
  [530, 'error code: 1033', 'unreachable'],
  [525, '', 'tls'],
  [526, '', 'tls'],
  [522, '', 'timeout'],
  [521, '', 'unreachable'],
] as const)('what Cloudflare says as %i %s is %s', async (status, text, cause) => {
  await fault('plexUrl', { kind: 'status', status, body: text })
  expect(await probe()).toMatchObject({ status: 'unhealthy', cause })
})

test('nobody there is unreachable', async () => {
  expect(await probe({ url: 'http://127.0.0.1:9' })).toEqual({ status: 'unhealthy', cause: 'unreachable' })
})

test('a Plex that is starting up is neither well nor gone', async () => {
  await control('plexUrl', 'maintenance', { on: true })
  try {
    expect(await probe()).toMatchObject({ status: 'degraded', cause: 'maintenance' })
  } finally {
    await control('plexUrl', 'maintenance', { on: false })
  }
})

test('a Plex that answers while its circuit is open is degraded', async () => {
  expect(await probe({ state: open })).toMatchObject({ status: 'degraded', cause: 'circuit-open' })
})

test('a Plex that takes its time is slow', async () => {
  let calls = 0
  const now = () => 2_001 * calls++
  expect(await probe({ now })).toEqual({ status: 'degraded', cause: 'slow', latencyMs: 2_001 })
})

test('however many ask, Plex is asked by a few at once and not again within a second', async () => {
  let now = 0
  const ask = create({ now: () => now })
  const asked = await askedOfPlex(async () => {
    const all = await Promise.all(Array.from({ length: 50 }, () => ask()))
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set(['healthy', 'unknown']))
    now += 999
    expect(await ask()).toMatchObject({ status: 'healthy' })
  })
  expect(asked).toHaveLength(4)
  await fault('plexUrl', { kind: 'reset' })
  now += 1
  expect(await ask()).toMatchObject({ status: 'unhealthy', cause: 'unreachable' })
})
