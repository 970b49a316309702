import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { expect, test } from 'vitest'

import type { Audience, LiveEvent } from '#contract/live.ts'

import { Listener } from '../../../src/live/listener.ts'
import {
  aDownload,
  available,
  cancelled,
  listen,
  newRoom,
  newUser,
  progressed,
  whenAskedForDownloads,
} from './support.ts'

const user = (userId: string): Audience => ({ kind: 'user', userId })
const section = (libraryKey: string): Audience => ({ kind: 'section', libraryKey })

test('the first frame is a hello with the user’s active downloads', async () => {
  const userId = newUser()
  const download = aDownload('A video')
  const { restore } = await whenAskedForDownloads(async (asked) => (asked === userId ? [download] : []))
  const client = await listen(newRoom(), { userId })
  expect(await client.frame()).toMatchObject({
    event: 'hello',
    data: { downloads: [download], resync: false },
  })
  restore()
})

test('what is said while the snapshot is on its way follows the hello, in order and whole', async () => {
  const room = newRoom()
  const userId = newUser()
  const snapshot = Promise.withResolvers<void>()
  const { restore } = await whenAskedForDownloads(async () => {
    await snapshot.promise
    return []
  })
  const client = await listen(room, { userId })
  expect(await room.publish(user(userId), progressed(1))).toBe(1)
  expect(await room.publish(user(userId), progressed(2))).toBe(1)
  expect(client.waiting()).toEqual([])
  snapshot.resolve()
  const hello = await client.frame()
  const first = await client.frame()
  const second = await client.frame()
  expect([hello.event, first.data, second.data]).toMatchObject(['hello', { progress: 1 }, { progress: 2 }])
  expect(hello.seq).toBeLessThan(first.seq)
  expect(first.seq).toBeLessThan(second.seq)
  restore()
})

test('who joins late hears of no download going back behind the hello, unless it is tried again', async () => {
  const room = newRoom()
  const userId = newUser()
  const download = aDownload('A video')
  const snapshot = Promise.withResolvers<void>()
  const { restore } = await whenAskedForDownloads(async () => {
    await snapshot.promise
    return [{ ...download, progress: 12 }]
  })
  const client = await listen(room, { userId })
  const say = async (...events: LiveEvent[]) => {
    for (const event of events) await room.publish(user(userId), event)
  }
  await say(...[11, 12, 13].map((progress) => progressed(progress, download.id)), progressed(1))
  await say({ event: 'youtube:retrying', data: { downloadId: download.id, attempt: 2 } })
  await say(progressed(2, download.id), cancelled())
  snapshot.resolve()
  const frames = []
  do frames.push(await client.frame())
  while (frames.at(-1)?.event !== 'youtube:cancelled')
  expect(frames.slice(1)).toMatchObject([
    { data: { downloadId: download.id, progress: 12 } },
    { data: { downloadId: download.id, progress: 13 } },
    { data: { progress: 1 } },
    { event: 'youtube:retrying' },
    { data: { downloadId: download.id, progress: 2 } },
    { event: 'youtube:cancelled' },
  ])
  restore()
})

test('without a snapshot the hello says that it cannot be trusted', async () => {
  const { restore } = await whenAskedForDownloads(() => Promise.reject(new Error('the queue is away')))
  const client = await listen(newRoom())
  expect(await client.frame()).toMatchObject({ event: 'hello', data: { downloads: [], resync: true } })
  restore()
})

test('an event reaches those it is for and nobody else', async () => {
  const room = newRoom()
  const [anna, ben] = [newUser(), newUser()]
  const annas = await listen(room, { userId: anna, libraries: ['1'] })
  const bens = await listen(room, { userId: ben, libraries: ['2'] })
  const admins = await listen(room, { role: 'admin' })
  await Promise.all([annas.frame(), bens.frame(), admins.frame()])

  expect(await room.publish(user(anna), cancelled())).toBe(1)
  expect(await room.publish(section('2'), available('2'))).toBe(2)
  expect(
    await room.publish({ kind: 'admins' }, { event: 'webhook:generic', data: { source: 's', event: 'e' } }),
  ).toBe(1)

  expect(await annas.frame()).toMatchObject({ event: 'youtube:cancelled' })
  expect(await bens.frame()).toMatchObject({ event: 'media:available' })
  expect(await admins.frame()).toMatchObject({ event: 'media:available' })
  expect(await admins.frame()).toMatchObject({ event: 'webhook:generic' })
  expect([annas.waiting(), bens.waiting(), admins.waiting()]).toEqual([[], [], []])
})

test('all sockets of a user hear, and each of the topics it asked for', async () => {
  const room = newRoom()
  const userId = newUser()
  const all = await listen(room, { userId, libraries: ['1'] })
  const media = await listen(room, { userId, libraries: ['1'], topics: ['media'] })
  await Promise.all([all.frame(), media.frame()])
  await room.publish(user(userId), cancelled())
  await room.publish(section('1'), available('1'))
  expect([await all.frame(), await all.frame()]).toMatchObject([
    { event: 'youtube:cancelled' },
    { event: 'media:available' },
  ])
  expect(await media.frame()).toMatchObject({ event: 'media:available' })

  media.socket.send(JSON.stringify({ type: 'narrow', topics: ['youtube'] }))
  await expect.poll(() => room.publish(user(userId), progressed(3))).toBe(2)
  await expect.poll(() => media.waiting().length).toBeGreaterThan(0)
  expect(await media.frame()).toMatchObject({ event: 'youtube:progress' })
})

test('a listener outlives the eviction of its room', async () => {
  const room = newRoom()
  const userId = newUser()
  const client = await listen(room, { userId, libraries: ['1'], topics: ['media', 'youtube'] })
  const hello = await client.frame()
  await room.publish(user(userId), cancelled())
  const before = await client.frame()

  await evictDurableObject(room)

  expect(await room.publish(section('1'), available('1'))).toBe(1)
  expect(await room.publish(section('2'), available('2'))).toBe(0)
  const after = await client.frame()
  expect(after).toMatchObject({ event: 'media:available', data: { libraryKey: '1' } })
  expect(hello.seq).toBeLessThan(before.seq)
  expect(before.seq).toBeLessThan(after.seq)
})

test('who comes back hears what it missed, and only what was meant for it', async () => {
  const room = newRoom()
  const userId = newUser()
  const entry = { userId, libraries: ['1'] }
  const first = await listen(room, entry)
  const { seq } = await first.frame()
  first.socket.close(1000, 'gone for a moment')
  await first.closed

  await room.publish(user(userId), cancelled())
  await room.publish(user(newUser()), cancelled())
  await room.publish(section('2'), available('2'))
  await room.publish(user(userId), progressed(50))
  await room.publish(section('1'), available('1'))

  const second = await listen(room, { ...entry, since: seq })
  const frames = [await second.frame(), await second.frame(), await second.frame()]
  expect(frames).toMatchObject([
    { event: 'hello', seq, data: { resync: false } },
    { event: 'youtube:cancelled' },
    { event: 'media:available', data: { libraryKey: '1' } },
  ])
  await room.publish(user(userId), progressed(60))
  expect(await second.frame()).toMatchObject({ data: { progress: 60 } })
  expect(second.waiting()).toEqual([])
})

test('nothing is replayed twice to who missed nothing', async () => {
  const room = newRoom()
  const userId = newUser()
  const first = await listen(room, { userId })
  await first.frame()
  await room.publish(user(userId), cancelled())
  const { seq } = await first.frame()
  const second = await listen(room, { userId, since: seq })
  expect(await second.frame()).toMatchObject({ event: 'hello', data: { resync: false } })
  await room.publish(user(userId), progressed(1))
  expect(await second.frame()).toMatchObject({ event: 'youtube:progress' })
})

test('a room that cannot know what was missed says so', async () => {
  const room = newRoom()
  const userId = newUser()
  const first = await listen(room, { userId })
  const { seq } = await first.frame()
  await evictDurableObject(room)
  const restarted = await listen(room, { userId, since: seq })
  expect(await restarted.frame()).toMatchObject({ event: 'hello', data: { resync: true } })
  const fromTheFuture = await listen(room, { userId, since: Number.MAX_SAFE_INTEGER })
  expect(await fromTheFuture.frame()).toMatchObject({ event: 'hello', data: { resync: true } })
})

test('after 256 events the oldest are forgotten, and that is said too', async () => {
  const room = newRoom()
  const userId = newUser()
  const first = await listen(room, { userId })
  const { seq } = await first.frame()
  for (let count = 0; count < 257; count += 1) await room.publish(user(newUser()), cancelled())
  const second = await listen(room, { userId, since: seq })
  expect(await second.frame()).toMatchObject({ event: 'hello', data: { resync: true } })
})

test('a restart in the middle of a greeting is made good with a hello that asks to resync', async () => {
  const room = newRoom()
  const userId = newUser()
  const client = await listen(room, { userId })
  await client.frame()
  await runInDurableObject(room, (_, state) => {
    for (const socket of state.getWebSockets()) {
      socket.serializeAttachment({ ...Listener.parse(socket.deserializeAttachment()), greeted: false })
    }
  })
  await evictDurableObject(room)
  await room.publish(user(userId), cancelled())
  expect(await client.frame()).toMatchObject({ event: 'hello', data: { resync: true } })
  expect(await client.frame()).toMatchObject({ event: 'youtube:cancelled' })
})
