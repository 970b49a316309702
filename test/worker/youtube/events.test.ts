import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { liveEvents, type LiveEventName } from '#contract/live.ts'

import { ask } from '../support/client.ts'
import { world } from '../support/world.ts'
import {
  clearQueue,
  completed,
  connect,
  evictQueue,
  failed,
  listen,
  newFriend,
  progress,
  queue,
  read,
  request,
  silencePlex,
} from './support.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const isEventName = (name: string): name is LiveEventName => name in liveEvents

/** Each payload is what the contract says, and nothing besides. */
function expectContract(heard: readonly { readonly event: string; readonly data: unknown }[]): void {
  for (const { event, data } of heard) {
    expect(isEventName(event), event).toBe(true)
    if (isEventName(event)) expect(liveEvents[event].strict().parse(data)).toEqual(data)
  }
}

test.each([
  ['', async () => undefined],
  [', though the queue is evicted between any two steps', evictQueue],
])('its owner hears the whole story, once and in order%s', async (_, between) => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const [owner, other] = [await listen(frank), await listen(fatima)]
  expect(owner.hello).toMatchObject({ downloads: [], resync: false })
  const downloader = await connect()
  await between()
  const { id } = await request(frank)
  await between()
  const { leased } = await downloader.takes(id)
  for (const step of [
    progress(10),
    progress(60),
    progress(90, 'processing'),
    progress(92, 'processing'),
    progress(98, 'placing'),
    progress(99, 'placing'),
  ]) {
    await between()
    downloader.say({ type: 'progress', ...leased, progress: step })
    await downloader.quiet()
  }
  await between()
  await downloader.ends(leased, completed)
  await between()
  await queue().scanned(id, '4711')
  await between()
  await queue().scanned(id, '4711')
  const last = await request(frank)

  const heard = await owner.all(14)
  expectContract(heard)
  expect(heard).toMatchObject([
    { event: 'youtube:created', data: { downloadId: id, download: { id, status: 'queued' } } },
    { event: 'youtube:started', data: { title: 'A film of a cat', attempt: 1 } },
    { event: 'youtube:progress', data: { progress: 10, phase: 'downloading' } },
    { event: 'youtube:progress', data: { progress: 60 } },
    { event: 'youtube:processing', data: { phase: 'processing' } },
    { event: 'youtube:progress', data: { progress: 90 } },
    { event: 'youtube:progress', data: { progress: 92 } },
    { event: 'youtube:processing', data: { phase: 'placing' } },
    { event: 'youtube:progress', data: { progress: 98 } },
    { event: 'youtube:progress', data: { progress: 99 } },
    { event: 'youtube:processing', data: { phase: 'scanning' } },
    { event: 'youtube:completed', data: { downloadId: id, file: completed.file } },
    {
      event: 'youtube:available',
      data: { downloadId: id, ratingKey: '4711', url: expect.stringContaining(world.machineIdentifier) },
    },
    { event: 'youtube:created', data: { downloadId: last.id } },
  ])
  expect(other.heard).toEqual([])
})

test('who comes in the middle is shown how far everything is, and nobody else’s', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const downloader = await connect()
  const running = await request(frank)
  const waiting = await request(frank)
  await request(fatima)
  const { leased } = await downloader.takes(running.id)
  downloader.say({ type: 'progress', ...leased, progress: { ...progress(33), etaSeconds: 9 } })
  await downloader.quiet()
  const { hello } = await listen(frank)
  expect(hello).toMatchObject({
    downloads: expect.arrayContaining([
      expect.objectContaining({ id: running.id, status: 'running', progress: 33, etaSeconds: 9 }),
      expect.objectContaining({ id: waiting.id, status: 'queued', waitingFor: 'slot' }),
    ]),
  })
  expect(hello['downloads']).toHaveLength(2)
})

test('a cancel, a retry and a failure are told with their reasons', async () => {
  const frank = await newFriend()
  const owner = await listen(frank)
  const cancelled = await request(frank)
  await ask('POST', `/api/youtube/downloads/${cancelled.id}/cancel`, { token: frank.token })
  const downloader = await connect()
  const { id } = await request(frank)
  const first = await downloader.takes(id)
  await downloader.ends(first.leased, failed())
  const second = await downloader.takes(id)
  await downloader.ends(second.leased, failed({ code: 'private', retryable: false, advice: 'Ask.' }))
  const heard = await owner.all(7)
  expectContract(heard)
  expect(heard).toMatchObject([
    { event: 'youtube:created', data: { downloadId: cancelled.id } },
    { event: 'youtube:cancelled', data: { downloadId: cancelled.id } },
    { event: 'youtube:created', data: { downloadId: id } },
    { event: 'youtube:started', data: { downloadId: id, attempt: 1 } },
    { event: 'youtube:retrying', data: { downloadId: id, attempt: 2, failure: { code: 'network' } } },
    { event: 'youtube:started', data: { downloadId: id, attempt: 2 } },
    { event: 'youtube:failed', data: { downloadId: id, failure: { code: 'private', advice: 'Ask.' } } },
  ])
})

test('D1 may be slow: nothing overtakes what it still writes', async () => {
  const frank = await newFriend()
  const owner = await listen(frank)
  const downloader = await connect()
  const { id } = await request(frank)
  const statement: D1PreparedStatement = Object.getPrototypeOf(env.DB.prepare('select 1'))
  vi.spyOn(statement, 'raw').mockImplementationOnce(async function (this: D1PreparedStatement) {
    await scheduler.wait(100)
    const { results } = await this.all()
    return results.map((row) => Object.values(row))
  })
  const { leased } = await downloader.takes(id)
  downloader.say({ type: 'progress', ...leased, progress: progress(50) })
  await downloader.ends(leased, completed)
  expect(await read(frank, id)).toMatchObject({ status: 'scanning', title: 'A film of a cat' })
  expect((await owner.all(4)).map(({ event }) => event)).toEqual([
    'youtube:created',
    'youtube:started',
    'youtube:progress',
    'youtube:processing',
  ])
})

test('a downloader that comes back repeats itself, and its owner hears nothing twice', async () => {
  const frank = await newFriend()
  const owner = await listen(frank)
  const downloader = await connect()
  const { id } = await request(frank)
  const { leased } = await downloader.takes(id)
  downloader.say({ type: 'progress', ...leased, progress: progress(90, 'processing') })
  await downloader.quiet()
  downloader.socket.close(1000)
  const again = await connect({ holding: [leased] })
  await evictQueue()
  again.say({ type: 'accepted', ...leased })
  again.say({
    type: 'started',
    ...leased,
    metadata: { id: 'x', title: 'X', availableHeights: [], availableQualities: [] },
  })
  again.say({ type: 'progress', ...leased, progress: progress(91, 'processing') })
  await again.ends(leased, completed)
  await again.ends(leased, completed)
  await queue().scanned(id, undefined)
  await request(frank)
  const heard = await owner.all(8)
  expect(heard.map(({ event }) => event)).toEqual([
    'youtube:created',
    'youtube:started',
    'youtube:processing',
    'youtube:progress',
    'youtube:progress',
    'youtube:processing',
    'youtube:completed',
    'youtube:created',
  ])
})

test('a file that Plex shows late is completed once, and available once', async () => {
  const frank = await newFriend()
  const owner = await listen(frank)
  const downloader = await connect()
  const { id } = await request(frank)
  const { leased } = await downloader.takes(id)
  await downloader.ends(leased, completed)
  await queue().round(Date.now() + 9 * 60_000)
  expect(await read(frank, id)).toMatchObject({ status: 'scanning' })
  await queue().round(Date.now() + 10 * 60_000 + 1)
  const done = await read(frank, id)
  expect(done).toMatchObject({ status: 'completed', file: completed.file, endedAt: expect.any(String) })
  expect(done).not.toHaveProperty('plex')
  await queue().scanned(id, undefined)
  await queue().scanned(id, '7')
  await queue().scanned(id, '7')
  expect(await read(frank, id)).toMatchObject({
    status: 'completed',
    plex: { ratingKey: '7', url: expect.stringContaining('%2Flibrary%2Fmetadata%2F7') },
  })
  await request(frank)
  const heard = await owner.all(6)
  expect(heard.map(({ event }) => event)).toEqual([
    'youtube:created',
    'youtube:started',
    'youtube:processing',
    'youtube:completed',
    'youtube:available',
    'youtube:created',
  ])
})
