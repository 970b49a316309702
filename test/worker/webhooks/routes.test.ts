import { expect, test } from 'vitest'
import * as z from 'zod'

import { Acknowledgement, DeliveryPage, DeliveryView, Health, Stats } from '../../../src/webhooks/schema.ts'
import { data } from '../../../src/http/envelope.ts'
import { exhausted, fromGitHub, fromStandard, machineIdentifier, push, secrets, setUp } from './support.ts'

const Stored = data(Acknowledgement.strict())

type World = ReturnType<typeof setUp>

async function stored({ ask }: World, path: string, init: RequestInit) {
  const response = await ask('POST', path, init)
  const text = await response.text()
  expect(response.status, text).toBe(202)
  return Stored.parse(JSON.parse(text)).data
}

const Refusal = z.looseObject({ code: z.string(), status: z.number() })
async function problem(response: Response) {
  const body = Refusal.parse(await response.json())
  expect(response.headers.get('content-type')).toBe('application/problem+json')
  expect(response.status).toBe(body.status)
  return body.code
}

const plexPath = `/plex/${secrets.plex[0]}`

function plexForm(payload: unknown): FormData {
  const form = new FormData()
  form.append('thumb', new File([new Uint8Array([255, 216, 0, 13, 10])], 'thumb.jpg', { type: 'image/jpeg' }))
  form.append('payload', JSON.stringify(payload))
  return form
}

const overseerr = () => ({
  notification_type: 'MEDIA_AVAILABLE',
  subject: `Film ${crypto.randomUUID()}`,
  media: { media_type: 'movie', tmdbId: '603' },
})

test('a push from GitHub is stored, read back by an admin, worked off and told', async () => {
  const world = setUp()
  const { id } = await stored(world, '/github', await fromGitHub('push', push))
  const read = async () => {
    const response = await world.ask('GET', `/deliveries/${id}`, world.as('admin'))
    return data(DeliveryView.strict()).parse(await response.json()).data
  }
  expect(await read()).toMatchObject({
    id,
    source: 'github',
    event: 'push',
    verdict: 'verified',
    status: 'stored',
    attempts: 0,
    kept: { repository: 'octo/cat', branch: 'main', commits: 1 },
  })
  expect(await world.service.process(world.seen.queued[0] ?? 0)).toEqual({ done: true })
  expect(await read()).toMatchObject({ status: 'processed', attempts: 1 })
  expect(world.seen.published).toEqual(['github:push'])
})

test('a form from Plex is stored whatever comes first, and its twin joins it', async () => {
  const world = setUp()
  const ratingKey = String(Math.floor(Math.random() * 1e9))
  const payload = (accountId: number) => ({
    event: 'library.new',
    Account: { id: accountId, title: 'olivia@example.com' },
    Server: { uuid: machineIdentifier },
    Metadata: { librarySectionID: 1, ratingKey, title: 'Up', type: 'movie' },
  })
  const first = await stored(world, plexPath, { body: plexForm(payload(1)) })
  const twin = await stored(world, plexPath, { body: plexForm(payload(2)) })
  expect(twin).toEqual({ id: first.id, status: 'duplicate', joined: first.id, because: 'same-event' })
})

test('Overseerr’s header and a Standard Webhook are taken', async () => {
  const world = setUp()
  const headers = { authorization: secrets.overseerr[0] ?? '', 'content-type': 'application/json' }
  await stored(world, '/overseerr', { headers, body: JSON.stringify(overseerr()) })
  await stored(world, '/generic/ci', await fromStandard(crypto.randomUUID(), '{"type":"build.done"}'))
  await world.service.process(world.seen.queued[0] ?? 0)
  await world.service.process(world.seen.queued[1] ?? 0)
  expect(world.seen).toMatchObject({ scans: ['1'], published: ['media:available', 'webhook:generic'] })
})

test('twenty deliveries of the same bytes at once are one', async () => {
  const world = setUp()
  const init = await fromGitHub('push', push)
  const answers = await Promise.all(Array.from({ length: 20 }, () => stored(world, '/github', init)))
  expect(answers.filter(({ status }) => status === 'stored')).toHaveLength(1)
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1)
  expect(world.seen.queued).toHaveLength(1)
})

test.each([
  ['/github', {}],
  ['/overseerr', { headers: { authorization: 'wrong' } }],
  ['/plex/wrong', { body: plexForm({ event: 'library.new', Server: { uuid: machineIdentifier } }) }],
  [plexPath, { body: plexForm({ event: 'library.new', Server: { uuid: 'another' } }) }],
  ['/generic/ci', {}],
  ['/generic/unheard-of', {}],
  ['/generic/__proto__', {}],
  ['/generic/%00', {}],
])('%s refuses what it cannot verify with the one 401, and charges the address', async (path, init) => {
  const { ask, seen } = setUp()
  const headers = { ...(init as RequestInit).headers, 'cf-connecting-ip': '2001:db8:1:2:3::4' }
  const response = await ask('POST', path, { body: '{}', ...init, headers })
  const { requestId: _r, instance: _i, ...body } = z.looseObject({}).parse(await response.json())
  expect(body).toEqual({
    type: 'urn:medianest:problem:invalid-signature',
    title: 'The webhook could not be verified',
    status: 401,
    code: 'invalid-signature',
  })
  expect(seen.charged).toEqual(['2001:db8:1:2::/64'])
})

test('what is not set up says so', async () => {
  const { ask } = setUp({ secrets: { plex: [], overseerr: [], github: [], generic: {} } })
  for (const path of ['/github', '/overseerr', '/plex/x', '/generic/ci']) {
    expect(await problem(await ask('POST', path, { body: '{}' }))).toBe('not-configured')
  }
})

test.each([
  ['JSON', { headers: { 'content-type': 'application/json' }, body: '{}' }],
  ['no boundary', { headers: { 'content-type': 'multipart/form-data' }, body: 'x' }],
  ['another boundary', { headers: { 'content-type': 'multipart/form-data; boundary=x' }, body: '--y\r\n' }],
  ['nothing', {}],
  ['no payload', { body: new FormData() }],
  ['broken JSON', { body: plexForm(undefined) }],
])('a form from Plex that is none is a 400: %s', async (_, init) => {
  const { ask } = setUp()
  expect(await problem(await ask('POST', plexPath, init))).toBe('invalid-request')
})

test('two payloads in a form are a 400', async () => {
  const form = plexForm({ event: 'library.new', Server: { uuid: machineIdentifier } })
  form.append('payload', '{}')
  const { ask } = setUp()
  expect(await problem(await ask('POST', plexPath, { body: form }))).toBe('invalid-request')
})

test('too much is refused, whether it says so or not', async () => {
  const { ask } = setUp()
  const body = 'x'.repeat(1_048_577)
  expect(await problem(await ask('POST', '/github', { body }))).toBe('payload-too-large')
  const headers = { 'content-length': '1048577' }
  expect(await problem(await ask('POST', '/github', { headers, body: 'x' }))).toBe('payload-too-large')
  expect(await problem(await ask('POST', plexPath, { body: new Uint8Array(2 * 1_048_576 + 1) }))).toBe(
    'payload-too-large',
  )
})

test('a 429 says how long to wait, in every form', async () => {
  const budgets = {
    addressLeft: async () => exhausted,
    chargeAddress: async () => {},
    takeSource: async () => exhausted,
  }
  const { ask } = setUp({ budgets })
  const response = await ask('POST', '/github', await fromGitHub('push', push))
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'retry-after': '62',
    'ratelimit-policy': '"webhooks-unverified";q=100;w=900',
    ratelimit: '"webhooks-unverified";r=0;t=62',
    'x-ratelimit-limit': '100',
    'x-ratelimit-remaining': '0',
  })
  expect(await response.json()).toMatchObject({
    code: 'rate-limited',
    retryAfter: 62,
    limit: 100,
    windowSeconds: 900,
  })
})

test('an accepted delivery tells what is left of its source’s budget', async () => {
  const response = await setUp().ask('POST', '/github', await fromGitHub('push', push))
  expect(response.headers.get('ratelimit')).toBe('"webhooks-verified";r=999;t=900')
})

test.each([
  ['GET', '/stats'],
  ['GET', '/deliveries'],
  ['GET', '/deliveries/wh_1'],
  ['POST', '/deliveries/wh_1/replay'],
])('%s %s is for admins alone', async (method, path) => {
  const { ask, as } = setUp()
  expect(await problem(await ask(method, path))).toBe('unauthenticated')
  expect(await problem(await ask(method, path, as('stranger')))).toBe('unauthenticated')
  expect(await problem(await ask(method, path, as('user')))).toBe('forbidden')
})

test('admins page through deliveries by source and status', async () => {
  const world = setUp()
  for (let count = 0; count < 3; count++)
    await stored(world, '/github', await fromGitHub('ping', { zen: 'x' }))
  const response = await world.ask(
    'GET',
    '/deliveries?source=github&status=ignored&limit=2',
    world.as('admin'),
  )
  const page = DeliveryPage.parse(await response.json())
  expect(page.data.map(({ event, status }) => `${event} ${status}`)).toEqual(['ping ignored', 'ping ignored'])
  expect(page.meta).toMatchObject({ page: 1, limit: 2 })
  expect(page.meta.total).toBeGreaterThanOrEqual(3)
  expect(page.meta.totalPages).toBe(Math.ceil(page.meta.total / 2))
})

test.each(['page=0', 'limit=0', 'limit=101', 'status=lost', 'source=nobody', 'unknown=1', 'page=x'])(
  'a list that is asked for with %s is a 400',
  async (query) => {
    const { ask, as } = setUp()
    expect(await problem(await ask('GET', `/deliveries?${query}`, as('admin')))).toBe('invalid-request')
  },
)

test('an admin replays a dead delivery, which leaves a mark in the audit log', async () => {
  const world = setUp()
  const { id } = await stored(world, '/github', await fromGitHub('push', push))
  await world.service.dead(world.seen.queued[0] ?? 0)
  const response = await world.ask('POST', `/deliveries/${id}/replay`, world.as('admin'))
  expect(response.status).toBe(202)
  expect(data(DeliveryView).parse(await response.json()).data).toMatchObject({
    id,
    status: 'stored',
    attempts: 0,
  })
  expect(world.seen.audit).toEqual([{ actor: 'admin', action: 'webhook.replay', target: id }])
  expect(world.seen.queued).toHaveLength(2)
  const unknown = await world.ask('POST', '/deliveries/wh_1/replay', world.as('admin'))
  expect(await problem(unknown)).toBe('not-found')
})

test('health says its status to all, and more to admins', async () => {
  const world = setUp()
  const health = async (init?: RequestInit) => {
    const response = await world.ask('GET', '/health', init)
    return data(Health.strict()).parse(await response.json()).data
  }
  expect(Object.keys(await health())).toEqual(['status'])
  expect(Object.keys(await health(world.as('user')))).toEqual(['status'])
  expect(await health(world.as('admin'))).toMatchObject({
    sources: [
      { source: 'plex', configured: true },
      { source: 'overseerr', configured: true },
      { source: 'github', configured: true },
      { source: 'generic:ci', configured: true },
    ],
  })
})

test('stats count what was stored', async () => {
  const world = setUp()
  await stored(world, '/generic/ci', await fromStandard(crypto.randomUUID(), '{"type":"x"}'))
  const response = await world.ask('GET', '/stats', world.as('admin'))
  const { sources } = data(Stats).parse(await response.json()).data
  const ci = sources.find(({ source }) => source === 'generic:ci')
  expect(ci?.total).toBeGreaterThanOrEqual(1)
  expect(ci?.lastReceivedAt).toBeDefined()
})
