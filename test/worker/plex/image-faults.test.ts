import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest'

import type { ProblemCode } from '#contract/problems.ts'

import { configOf } from '../../../src/config.ts'
import { createUserStore } from '../../../src/platform/user-store.ts'
import { createVault } from '../../../src/platform/vault.ts'
import { ask, expectProblem, signIn } from '../support/client.ts'
import { clearFaults, fault, seen, forgetSeen, world, type Fault } from '../support/world.ts'
import { addressOf, partsOf, picturesOf, type Pictures } from './pictures.ts'
import { read, startOver } from './support.ts'

const olivia = await signIn('olivia')
let unseen: () => Pictures

beforeAll(async () => {
  await startOver()
  const next = await picturesOf(olivia)
  // The first films are for the tests next door, whose pictures may be kept already.
  unseen = () => {
    const { poster, art } = next()
    const small = (address: string) => addressOf({ ...partsOf(address), size: 'w120' })
    return { poster: small(poster), art: small(art) }
  }
})
afterEach(async () => {
  vi.restoreAllMocks()
  await startOver()
})
afterAll(startOver)

const picture = (contentType: string, body: string): Fault => ({
  kind: 'status',
  status: 200,
  headers: { 'content-type': contentType },
  body,
})

const rows: readonly (readonly [string, Fault, ProblemCode, attempts: number])[] = [
  ['a sign-in page instead of a picture', { kind: 'html' }, 'upstream-invalid', 1],
  ['an answer of the API instead of a picture', { kind: 'wrong-types' }, 'upstream-invalid', 1],
  ['a picture that can hold a script', picture('image/svg+xml', '<svg/>'), 'upstream-invalid', 1],
  ['a film instead of a picture', picture('video/mp4', 'film'), 'upstream-invalid', 1],
  ['a picture of nothing', picture('image/jpeg', ''), 'upstream-invalid', 1],
  ['no type', picture('', 'what is it'), 'upstream-invalid', 1],
  ['more than five megabytes', picture('image/jpeg', 'x'.repeat(5 * 1024 * 1024 + 1)), 'upstream-invalid', 1],
  [
    'a redirect',
    { kind: 'status', status: 302, headers: { location: 'http://127.0.0.1:9/' } },
    'upstream-invalid',
    1,
  ],
  ['a picture that is gone', { kind: 'status', status: 404 }, 'not-found', 1],
  ['a picture not for this user', { kind: 'status', status: 403 }, 'not-found', 1],
  ['a picture that cannot be made', { kind: 'status', status: 400 }, 'not-found', 1],
  ['a refused token', { kind: 'status', status: 401 }, 'not-found', 2],
  ['a hang', { kind: 'hang' }, 'plex-unavailable', 3],
  ['a broken connection', { kind: 'reset' }, 'plex-unavailable', 3],
  ['a failure', { kind: 'status', status: 500 }, 'plex-unavailable', 3],
]

test.for(rows)('%s is told as it should be, and is not kept', async ([, asked, code, attempts]) => {
  const { poster } = unseen()
  await forgetSeen('plexUrl')
  await fault('plexUrl', { path: '^/photo/', ...asked })
  const response = await ask('GET', poster)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(response.headers.has('etag')).toBe(false)
  await expectProblem(response, code)
  expect((await seen('plexUrl')).map(({ path }) => path)).toEqual(Array(attempts).fill('/photo/:/transcode'))
  await clearFaults()
  await startOver()
  const then = await ask('GET', poster)
  expect([then.status, then.headers.get('x-cache')]).toEqual([200, 'MISS'])
})

test('a picture may have up to five megabytes', async () => {
  const { poster } = unseen()
  await fault('plexUrl', { path: '^/photo/', ...picture('image/jpeg', 'x'.repeat(5 * 1024 * 1024)) })
  const response = await ask('GET', poster)
  expect(response.status).toBe(200)
  expect((await response.arrayBuffer()).byteLength).toBe(5 * 1024 * 1024)
})

test('neither Plex’s address nor a token is in anything that leaves', async () => {
  const store = createUserStore(drizzle(env.DB), createVault(configOf(env).vaultKeys))
  const tokens = await store.tokens(olivia.user.id)
  const secrets = [tokens?.serverToken, tokens?.accountToken, new URL(world.plexUrl).host, 'X-Plex']
  expect(secrets.every((secret) => secret !== undefined && secret.length > 5)).toBe(true)

  const left: string[] = []
  for (const method of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, method).mockImplementation(
      (...parts: unknown[]) => void left.push(parts.map(String).join(' ')),
    )
  const keep = async (response: Response) =>
    left.push(JSON.stringify([...response.headers]), response.url, await response.text())

  await keep(await read('/libraries/1/items?limit=100', olivia))
  await keep(await ask('GET', unseen().poster))
  for (const [, asked] of rows.filter(([, { body = '' }]) => body.length < 100)) {
    await fault('plexUrl', { path: '^/photo/', ...asked })
    await keep(await ask('GET', unseen().art))
    await startOver()
  }
  const everything = left.join('\n')
  expect(everything).toContain('/api/plex/images/')
  expect(secrets.filter((secret) => everything.includes(secret ?? ''))).toEqual([])
})
