import { runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as z from 'zod'

import type { DownloadQueue } from '../../../src/durable/download-queue.ts'
import { DownloadsBody } from '../../../src/youtube/history-schema.ts'
import { QuotaBody } from '../../../src/youtube/schema.ts'
import { ask, expectData, expectProblem } from '../support/client.ts'
import {
  clearQueue,
  completed,
  connect,
  newFriend,
  newVideo,
  queue,
  read,
  request,
  silencePlex,
  type Friend,
} from './support.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const post = ({ token }: Friend, json: unknown) => ask('POST', '/api/youtube/download', { token, json })
const cancel = ({ token }: Friend, id: string) =>
  ask('POST', `/api/youtube/downloads/${id}/cancel`, { token })
const list = ({ token }: Friend, query = '') => ask('GET', `/api/youtube/downloads${query}`, { token })
const quota = async ({ token }: Friend) =>
  (await expectData(await ask('GET', '/api/youtube/quota', { token }), 200, QuotaBody)).data

test('a download is accepted, named and waits for a downloader', async () => {
  const frank = await newFriend()
  const response = await post(frank, { url: 'https://youtu.be/dQw4w9WgXcQ?si=1' })
  expect(response.headers.get('x-ratelimit-remaining')).toBe('4')
  expect(response.headers.get('ratelimit-policy')).toBe('"downloads";q=5;w=3600')
  const { data } = await expectData(
    response,
    201,
    z.strictObject({ data: z.record(z.string(), z.unknown()) }),
  )
  expect(data).toEqual({
    id: expect.any(String),
    url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
    videoId: 'dQw4w9WgXcQ',
    quality: '1080p',
    format: 'mp4',
    extras: { chapters: true, thumbnail: true },
    status: 'queued',
    attempt: 1,
    progress: 0,
    waitingFor: 'downloader',
    createdAt: expect.any(String),
  })
})

test('an active video is not asked for twice, at whatever quality and by whatever address', async () => {
  const frank = await newFriend()
  const { id, videoId } = await request(frank)
  for (const json of [
    { url: `https://www.youtube.com/watch?v=${videoId}` },
    { url: `https://music.youtube.com/watch?v=${videoId}&list=x`, quality: '360p', format: 'mp3' },
  ]) {
    expect(await expectProblem(await post(frank, json), 'duplicate-download')).toMatchObject({
      downloadId: id,
    })
  }
  const fatima = await newFriend()
  expect((await request(fatima, { url: `https://youtu.be/${videoId}` })).id).not.toBe(id)
})

test('of many that ask for the same at once one is accepted, and that one is charged', async () => {
  const frank = await newFriend()
  const url = newVideo()
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(frank, { url })))
  const accepted = answers.filter(({ status }) => status === 201)
  expect(accepted).toHaveLength(1)
  const id = (await accepted[0]?.json<{ data: { id: string } }>())?.data.id
  for (const answer of answers.filter((each) => each !== accepted[0])) {
    expect(await expectProblem(answer, 'duplicate-download')).toMatchObject({ downloadId: id })
  }
  expect(await quota(frank)).toMatchObject({ used: 1, remaining: 4 })
  expect(await queue().queued()).toBe(1)
})

test('five an hour, whatever the haste; the next one hears when to come back', async () => {
  const frank = await newFriend()
  const answers = await Promise.all(Array.from({ length: 8 }, () => post(frank, { url: newVideo() })))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 201, 201, 201, 201, 429, 429, 429])
  const refused = await post(frank, { url: newVideo() })
  const { headers } = refused
  expect(headers.get('x-ratelimit-limit')).toBe('5')
  expect(headers.get('x-ratelimit-remaining')).toBe('0')
  expect(Number(headers.get('x-ratelimit-reset'))).toBeGreaterThan(3_500)
  expect(headers.get('ratelimit')).toMatch(/^"downloads";r=0;t=3[56]\d\d$/)
  expect(await expectProblem(refused, 'rate-limited')).toMatchObject({ limit: 5, windowSeconds: 3_600 })
  const { data, meta } = await expectData(await list(frank), 200, DownloadsBody)
  expect([data.length, meta.total, await queue().queued()]).toEqual([5, 5, 5])
  expect(await quota(frank)).toMatchObject({ used: 5, remaining: 0, canDownload: false })

  // Who has nothing left still learns that the video is on its way.
  const known = data[0]?.url
  await expectProblem(await post(frank, { url: known }), 'duplicate-download')
})

test('what is refused, invalid or there already costs nothing', async () => {
  const frank = await newFriend()
  await expectProblem(await post(frank, { url: 'https://evil.example/?youtube.com' }), 'unsupported-url')
  await expectProblem(await post(frank, { url: '--exec=id' }), 'unsupported-url')
  await expectProblem(await post(frank, { url: newVideo(), quality: '4k' }), 'invalid-request')
  await expectProblem(await post(frank, { url: newVideo(), exec: 'id' }), 'invalid-request')
  await expectProblem(await post(frank, {}), 'invalid-request')
  await expectProblem(
    await ask('POST', '/api/youtube/download', { token: frank.token, body: 'x' }),
    'unsupported-media-type',
  )
  await expectProblem(
    await ask('POST', '/api/youtube/download', { json: { url: newVideo() } }),
    'unauthenticated',
  )
  expect(await quota(frank)).toEqual({
    used: 0,
    limit: 5,
    remaining: 5,
    windowSeconds: 3_600,
    canDownload: true,
    storage: { usedBytes: 0, isFull: false },
  })
  const before = Date.now()
  const { url } = await request(frank)
  await expectProblem(await post(frank, { url }), 'duplicate-download')
  const { resetAt = '', ...left } = await quota(frank)
  expect(left).toMatchObject({ used: 1, remaining: 4 })
  // An hour after it was charged.
  const chargedAt = Date.parse(resetAt) - 3_600_000
  expect(chargedAt).toBeGreaterThanOrEqual(before)
  expect(chargedAt).toBeLessThanOrEqual(Date.now())
})

test('what is stored is accepted, though the queue cannot be reached', async () => {
  const frank = await newFriend()
  const { enqueue, liveStates } = await spyOnQueue()
  enqueue.mockRejectedValueOnce(new Error('away'))
  liveStates.mockRejectedValueOnce(new Error('away'))
  const { id } = await request(frank)
  expect(await queue().queued()).toBe(0)
  expect(await queue().adopt(Date.now() + 60_000)).toBe(1)
  expect(await read(frank, id)).toMatchObject({ status: 'queued', waitingFor: 'downloader' })
})

test('a host the operator allows is fetched from, however long its address', async () => {
  const frank = await newFriend()
  const url = `http://127.0.0.1:9/watch/${'a'.repeat(200)}`
  const accepted = await request(frank, { url })
  expect(accepted.url).toBe(url)
  const downloader = await connect()
  expect(await downloader.offered(accepted.id)).toMatchObject({ url, videoId: accepted.videoId })
})

test('downloads are listed newest first, in pages, by status, and only one’s own', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  await request(fatima)
  const mine = []
  for (const _ of [1, 2, 3]) mine.unshift((await request(frank)).id)
  await cancel(frank, mine[2] ?? '')

  const all = await expectData(await list(frank), 200, DownloadsBody)
  expect(all.data.map(({ id }) => id)).toEqual(mine)
  expect(all.meta).toEqual({ page: 1, limit: 20, total: 3, totalPages: 1 })
  const second = await expectData(await list(frank, '?page=2&limit=2'), 200, DownloadsBody)
  expect(second.data.map(({ id }) => id)).toEqual(mine.slice(2))
  expect(second.meta).toEqual({ page: 2, limit: 2, total: 3, totalPages: 2 })
  const queued = await expectData(await list(frank, '?status=queued&limit=100'), 200, DownloadsBody)
  expect(queued.data.map(({ id }) => id)).toEqual(mine.slice(0, 2))
  expect(queued.meta.total).toBe(2)
  expect((await expectData(await list(frank, '?page=9'), 200, DownloadsBody)).data).toEqual([])
  for (const query of ['?page=0', '?limit=0', '?limit=101', '?page=x', '?status=lost', '?user=x']) {
    await expectProblem(await list(frank, query), 'invalid-request')
  }
})

test('another user’s download does not exist', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const { id } = await request(frank)
  await expectProblem(await ask('GET', `/api/youtube/downloads/${id}`, { token: fatima.token }), 'not-found')
  await expectProblem(await cancel(fatima, id), 'not-found')
  await expectProblem(await cancel(fatima, crypto.randomUUID()), 'not-found')
  await expectProblem(await cancel(fatima, 'x'), 'invalid-request')
  expect(await queue().cancel(fatima.userId, id)).toBe(false)
  expect(await read(frank, id)).toMatchObject({ status: 'queued' })
})

test('a queued download is cancelled for good, and the video may be asked for again', async () => {
  const frank = await newFriend()
  const { id, url } = await request(frank)
  const { data } = await expectData(await cancel(frank, id), 200, z.object({ data: z.looseObject({}) }))
  expect(data).toMatchObject({ id, status: 'cancelled', endedAt: expect.any(String) })
  expect(data).not.toHaveProperty('waitingFor')
  expect(await expectProblem(await cancel(frank, id), 'download-finished')).toMatchObject({
    downloadStatus: 'cancelled',
  })
  const downloader = await connect()
  await downloader.quiet()
  expect((await request(frank, { url })).id).not.toBe(id)
})

test('a running download is cancelled at once, and its downloader told', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const { id } = await request(frank)
  const { leased } = await downloader.takes(id)
  downloader.say({ type: 'progress', ...leased, progress: { phase: 'downloading', percent: 30 } })
  await expect.poll(() => read(frank, id)).toMatchObject({ status: 'running', progress: 30 })
  expect((await cancel(frank, id)).status).toBe(200)
  expect(await downloader.next('cancel')).toMatchObject(leased)
  await downloader.ends(leased, { kind: 'cancelled' })
  expect(await read(frank, id)).toMatchObject({ status: 'cancelled', progress: 0 })
})

test('what is over cannot be cancelled', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const { id } = await request(frank)
  const { leased } = await downloader.takes(id)
  await downloader.ends(leased, completed)
  expect(await read(frank, id)).toMatchObject({ status: 'scanning', progress: 100, waitingFor: 'plex' })
  await queue().scanned(id, '42')
  expect(await expectProblem(await cancel(frank, id), 'download-finished')).toMatchObject({
    downloadStatus: 'completed',
  })
})

async function spyOnQueue() {
  return runInDurableObject(queue(), (instance) => {
    const prototype: DownloadQueue = Object.getPrototypeOf(instance)
    return { enqueue: vi.spyOn(prototype, 'enqueue'), liveStates: vi.spyOn(prototype, 'liveStates') }
  })
}
