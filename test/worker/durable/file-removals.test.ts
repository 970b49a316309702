import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createLibraryIndex } from '../../../src/platform/library-index.ts'
import type { Removal } from '../../../src/youtube/ports.ts'
import { ask } from '../support/client.ts'
import {
  clearQueue,
  completed,
  connect,
  evictQueue,
  listen,
  newFriend,
  newVideo,
  queue,
  read,
  request,
  silencePlex,
  type Downloader,
  type Friend,
} from '../youtube/support.ts'

let plex: Awaited<ReturnType<typeof silencePlex>>
beforeEach(async () => {
  plex = await silencePlex()
})
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const plexFolder = '/media/youtube/Cats'
const scanOfRemoval = ({ userId }: Friend) => ({ path: plexFolder, requester: { kind: 'user', userId } })

/** A file in the library that two friends share, and what takes it away. */
async function sharedFile(frank: Friend, fatima: Friend, nas: Downloader) {
  const url = newVideo()
  const { id, videoId } = await request(frank, { url })
  const twin = await request(fatima, { url })
  const { leased } = await nas.takes(id)
  await nas.ends(leased, completed)
  await queue().scanned(id, '31')
  plex.requests.length = 0
  const { plexPath, file } = completed
  const removal: Removal = {
    downloadId: id,
    userId: frank.userId,
    videoId,
    downloaderId: 'nas',
    plexPath,
    file,
  }
  return { id, videoId, twinId: twin.id, removal }
}

test('a file is removed once its downloader is there, for all who had it, and Plex is told', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const { id, videoId, twinId, removal } = await sharedFile(frank, fatima, nas)
  const [owner, sharer] = [await listen(frank), await listen(fatima)]
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  await queue().remove(removal)
  await evictQueue()
  expect(await queue().overview()).toMatchObject({ removals: 1 })
  expect(await read(frank, id)).not.toHaveProperty('removedAt')

  const again = await connect()
  expect(await again.next('remove')).toEqual({
    type: 'remove',
    jobId: id,
    plexPath: completed.plexPath,
    file: completed.file,
  })
  await queue().round()
  await again.next('remove')
  for (const _ of [1, 2]) again.say({ type: 'removed', jobId: id, outcome: 'removed', plexFolder })
  await again.quiet()
  expect(await read(frank, id)).toMatchObject({ status: 'completed', removedAt: expect.any(String) })
  expect(await read(fatima, twinId)).toMatchObject({ removedAt: expect.any(String) })
  expect(await queue().overview()).toMatchObject({ removals: 0 })
  expect(plex.requests).toEqual([scanOfRemoval(frank)])
  await expect.poll(() => createLibraryIndex(env.CACHE).of(videoId)).toEqual([])
  const news = (downloadId: string) => [
    { event: 'youtube:removed', data: { downloadId, file: true, record: false } },
  ]
  expect(await owner.all(1)).toEqual(news(id))
  expect(await sharer.all(1)).toEqual(news(twinId))
})

test('a file whose record is gone already is told of by name', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const { id, removal } = await sharedFile(frank, fatima, nas)
  const owner = await listen(frank)
  await env.DB.prepare('delete from downloads where id = ?').bind(id).run()
  await queue().remove(removal)
  await nas.next('remove')
  nas.say({ type: 'removed', jobId: id, outcome: 'absent' })
  await nas.quiet()
  expect(await owner.all(1)).toMatchObject([{ data: { downloadId: id, file: true, record: true } }])
  expect(plex.requests).toMatchObject([{ path: '/media/youtube/Cats/Season 2026' }])
})

test('a scan that Plex’s object could not take is asked for again, the file not', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const { id, removal } = await sharedFile(frank, fatima, nas)
  plex.spy.mockRejectedValueOnce(new Error('away'))
  await queue().remove(removal)
  await nas.next('remove')
  nas.say({ type: 'removed', jobId: id, outcome: 'removed', plexFolder })
  await nas.quiet()
  expect(plex.requests).toEqual([])
  await evictQueue()
  await queue().round()
  await queue().round()
  await nas.quiet()
  expect(plex.requests).toEqual([scanOfRemoval(frank)])
})

test('what is refused again and again is left where it is, and said to be in the log', async () => {
  const logged = vi.spyOn(console, 'log')
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const { id, removal } = await sharedFile(frank, fatima, nas)
  await queue().remove(removal)
  for (let round = 0; round < 10; round += 1) {
    await nas.next('remove')
    nas.say({ type: 'removed', jobId: id, outcome: 'refused' })
    await nas.quiet()
    await queue().round()
  }
  await nas.quiet()
  expect(await read(frank, id)).not.toHaveProperty('removedAt')
  expect(await queue().overview()).toMatchObject({ removals: 0 })
  const lines = logged.mock.calls
    .map(([line]) => String(line))
    .filter((line) => line.includes('file-not-removed'))
  expect(lines).toHaveLength(10)
  expect(lines.at(-1)).toContain('"final":true')
  expect(lines.join()).not.toContain(completed.plexPath)
})

test('what could not be removed is asked for until it can, and said to be in the log once', async () => {
  const logged = vi.spyOn(console, 'log')
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const { id, removal } = await sharedFile(frank, fatima, nas)
  await queue().remove(removal)
  for (let round = 0; round < 12; round += 1) {
    await nas.next('remove')
    nas.say({ type: 'removed', jobId: id, outcome: 'failed' })
    await nas.quiet()
    await queue().round()
  }
  expect(await queue().overview()).toMatchObject({ removals: 1 })
  expect(logged.mock.calls.filter(([line]) => String(line).includes('file-not-removed'))).toHaveLength(1)
  await nas.next('remove')
  nas.say({ type: 'removed', jobId: id, outcome: 'removed' })
  await nas.quiet()
  expect(await read(frank, id)).toHaveProperty('removedAt')
})

test('a cancel while Plex is scanning takes the file out again, and the video may be asked for anew', async () => {
  const frank = await newFriend()
  const nas = await connect()
  const { id, url } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.ends(leased, completed)
  const answer = await ask('POST', `/api/youtube/downloads/${id}/cancel`, { token: frank.token })
  expect(answer.status).toBe(200)
  expect(await nas.next('remove')).toMatchObject({ jobId: id, plexPath: completed.plexPath })
  await queue().scanned(id, '9')
  expect(await read(frank, id)).toMatchObject({ status: 'cancelled' })

  // Not before the old file is gone, which the new one would be taken for.
  const again = await request(frank, { url })
  await nas.quiet()
  nas.say({ type: 'removed', jobId: id, outcome: 'removed', plexFolder })
  await nas.takes(again.id)
  expect(await read(frank, id)).toMatchObject({ status: 'cancelled', removedAt: expect.any(String) })
})

test('a removal that somebody else claims to have done is not believed', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const { id, removal } = await sharedFile(frank, fatima, nas)
  await queue().remove(removal)
  const vps = await connect({ downloaderId: 'vps' })
  vps.say({ type: 'removed', jobId: id, outcome: 'removed' })
  await vps.quiet()
  expect(await queue().overview()).toMatchObject({ removals: 1 })
})

test('a film that another downloader has put there meanwhile is not what was ordered out', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const { removal } = await sharedFile(frank, fatima, nas)
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  await queue().remove(removal)
  const olivia = await newFriend()
  const { id } = await request(olivia, { quality: 'best' })
  const vps = await connect({ downloaderId: 'vps' })
  await vps.ends((await vps.takes(id)).leased, completed)
  vps.socket.close(1000)
  const again = await connect()
  await queue().round()
  await again.quiet()
  expect(await queue().overview()).toMatchObject({ removals: 0 })
  expect(await read(olivia, id)).toMatchObject({ status: 'scanning' })
})
