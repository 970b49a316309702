import { runDurableObjectAlarm } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { ask, expectProblem } from '../support/client.ts'
import {
  clearQueue,
  completed,
  connect,
  evictQueue,
  failed,
  linkHeaders,
  metadata,
  newFriend,
  openLink,
  progress,
  queue,
  read,
  request,
  silencePlex,
  storedJobs,
} from '../youtube/support.ts'

let plex: Awaited<ReturnType<typeof silencePlex>>
beforeEach(async () => {
  plex = await silencePlex()
})
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

test('the link opens for a downloader’s token and a WebSocket only', async () => {
  const link = (headers: Record<string, string>) => ask('GET', '/api/downloader/link', { headers })
  const { authorization, upgrade } = linkHeaders
  await expectProblem(await link({ upgrade }), 'unauthenticated')
  await expectProblem(await link({ upgrade, authorization: 'Bearer wrong' }), 'unauthenticated')
  await expectProblem(await link({ upgrade, authorization: `${authorization}x` }), 'unauthenticated')
  const friend = await newFriend('admin')
  await expectProblem(await link({ upgrade, authorization: `Bearer ${friend.token}` }), 'unauthenticated')
  const refused = await link({ authorization })
  expect(refused.headers.get('upgrade')).toBe('websocket')
  await expectProblem(refused, 'upgrade-required')
})

test('a downloader is welcomed, answered and given no more than it has slots for', async () => {
  const frank = await newFriend()
  const ids = []
  for (const _ of [1, 2, 3]) ids.push((await request(frank, { quality: '720p', format: 'mkv' })).id)
  const downloader = await connect({ slots: 2 })
  expect(downloader.welcome).toEqual({ type: 'welcome', drop: [] })
  const first = await downloader.takes(ids[0])
  expect(first).toMatchObject({ lease: 1, quality: '720p', format: 'mkv', attempt: 1 })
  await downloader.takes(ids[1])
  await downloader.quiet()
  expect(await queue().downloaders()).toMatchObject([{ id: 'nas', slots: 2, busy: 2 }])
  await downloader.ends(first.leased, completed)
  await downloader.takes(ids[2])
})

test('each of two downloaders gets its share', async () => {
  const [nas, vps] = [await connect(), await connect({ downloaderId: 'vps' })]
  const frank = await newFriend()
  const ids = [(await request(frank)).id, (await request(frank)).id]
  const offered = [(await nas.offered()).jobId, (await vps.offered()).jobId]
  expect(offered.toSorted()).toEqual(ids.toSorted())
})

test('a download goes from queued to completed, with what is known of it', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const { id } = await request(frank)
  const { leased } = await downloader.offered(id)
  downloader.say({ type: 'accepted', ...leased })
  expect(await read(frank, id)).toMatchObject({ status: 'queued', progress: 0 })
  expect(await read(frank, id)).not.toHaveProperty('waitingFor')
  downloader.say({ type: 'started', ...leased, metadata })
  downloader.say({ type: 'progress', ...leased, progress: { ...progress(40), bytesPerSecond: 5 } })
  downloader.say({ type: 'progress', ...leased, progress: progress(39, 'processing') })
  await downloader.quiet()
  expect(await read(frank, id)).toMatchObject({
    status: 'running',
    progress: 40,
    phase: 'processing',
    title: metadata.title,
    channel: 'Cats',
    durationSeconds: 61,
    startedAt: expect.any(String),
  })
  await downloader.ends(leased, completed)
  expect(plex.requests).toEqual([
    {
      path: '/media/youtube/Cats/Season 2026',
      requester: { kind: 'download', downloadId: id, file: completed.plexPath },
    },
  ])
  await queue().scanned(id, '12')
  const done = await read(frank, id)
  expect(done).toMatchObject({ status: 'completed', progress: 100, plex: { ratingKey: '12' } })
  expect(done).not.toHaveProperty('waitingFor')
  expect(JSON.stringify(done)).not.toContain('/media/')
  expect(await storedJobs()).toEqual([])
})

test('a declined job goes to another, and comes back when the downloader says that it has changed', async () => {
  const nas = await connect({ slots: 4 })
  const frank = await newFriend()
  const { id } = await request(frank)
  const offer = await nas.offered(id)
  nas.say({ type: 'declined', ...offer.leased, reason: 'no-space' })
  await nas.quiet()
  const vps = await connect({ downloaderId: 'vps' })
  const second = await vps.offered(id)
  expect(second.lease).toBe(2)
  vps.say({ type: 'declined', ...second.leased, reason: 'stopping' })
  await vps.quiet()
  nas.say({ type: 'state', state: { freeBytes: 1e12, troubles: [] } })
  expect((await nas.offered(id)).lease).toBe(3)
})

test('what comes under an old lease is acknowledged and changes nothing', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  nas.say({ type: 'result', ...leased, outcome: { kind: 'returned' } })
  await nas.next('acknowledged')
  const fresh = await nas.takes(id)
  await nas.ends(leased, completed)
  await nas.ends(leased, failed({ retryable: false }))
  nas.say({ type: 'progress', ...leased, progress: progress(77) })
  nas.say({ type: 'declined', ...leased, reason: 'no-slot' })
  nas.say({ type: 'accepted', ...leased })
  expect(await nas.next('cancel')).toMatchObject(leased)
  await nas.quiet()
  expect(await read(frank, id)).toMatchObject({ status: 'running', progress: 0 })

  // Nor does it help to be somebody else.
  const vps = await connect({ downloaderId: 'vps' })
  await vps.ends(fresh.leased, completed)
  expect(await read(frank, id)).toMatchObject({ status: 'running' })
})

test('a job that is given back at a shutdown costs no attempt', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  for (const lease of [1, 2, 3, 4, 5]) {
    const job = await nas.takes(id)
    expect(job).toMatchObject({ lease, attempt: 1 })
    await nas.ends(job.leased, { kind: 'returned' })
  }
})

test('a failure that may pass is tried again later, and failed only after the last try', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  for (const attempt of [1, 2]) {
    const job = await nas.takes(id)
    expect(job.attempt).toBe(attempt)
    await nas.ends(job.leased, failed({ retryAt: new Date(Date.now() + 30_000).toISOString() }))
    await nas.quiet()
    const waiting = await read(frank, id)
    expect(waiting).toMatchObject({
      status: 'retrying',
      attempt: attempt + 1,
      failure: { code: 'network' },
      waitingFor: 'retry',
      waitingUntil: expect.any(String),
    })
    await queue().round(Date.now() + 31_000)
  }
  const last = await nas.takes(id)
  expect(last.attempt).toBe(3)
  await nas.quiet()
  expect(await read(frank, id)).not.toHaveProperty('failure')
  await nas.ends(last.leased, failed({ code: 'server-error' }))
  expect(await read(frank, id)).toMatchObject({
    status: 'failed',
    attempt: 3,
    failure: { code: 'server-error' },
  })
  expect(await storedJobs()).toEqual([])
  await queue().round(Date.now() + 3_600_000)
  await nas.closed
})

test('an alarm brings the next try, though the object was evicted', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.ends(leased, failed())
  await evictQueue()
  await runDurableObjectAlarm(queue())
  expect(await nas.takes(id)).toMatchObject({ attempt: 2, lease: 2 })
})

test('a failure for good is failed at once', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id, url } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.ends(leased, failed({ code: 'removed', retryable: false }))
  expect(await read(frank, id)).toMatchObject({ status: 'failed', attempt: 1, failure: { code: 'removed' } })
  expect((await request(frank, { url })).id).not.toBe(id)
})

test.each([
  ['no JSON', 'hello'],
  ['binary', new Uint8Array([1, 2, 3])],
  ['an unknown type', JSON.stringify({ type: 'exec', command: 'id' })],
  [
    'a result without a lease',
    JSON.stringify({ type: 'result', jobId: crypto.randomUUID(), outcome: completed }),
  ],
])('a frame that is %s closes the socket and changes nothing', async (_, frame) => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.quiet()
  nas.socket.send(frame)
  expect(await nas.closed).toBe(1007)
  expect(await read(frank, id)).toMatchObject({ status: 'running' })
  const again = await connect({ holding: [leased] })
  expect(again.welcome.drop).toEqual([])
})

test('nothing is heard before a hello, nor from another protocol', async () => {
  const frank = await newFriend()
  const { id } = await request(frank)
  const early = await openLink()
  early.socket.send(JSON.stringify({ type: 'result', jobId: id, lease: 1, outcome: completed }))
  expect(await early.closed).toBe(1008)
  const other = await openLink()
  const versions = { downloader: '9', node: '30' }
  const hello = { type: 'hello', protocol: 2, downloaderId: 'x', versions, slots: 1, holding: [] }
  other.socket.send(JSON.stringify({ ...hello, state: { freeBytes: 1, troubles: [] } }))
  expect(await other.closed).toBe(1002)
  expect(await read(frank, id)).toMatchObject({ status: 'queued', waitingFor: 'downloader' })
})
