import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { RestingSite } from '#contract/downloader-link.ts'

import { createLibraryIndex } from '../../../src/platform/library-index.ts'
import {
  clearQueue,
  completed,
  connect,
  evictQueue,
  failed,
  listen,
  metadata,
  newFriend,
  newVideo,
  queue,
  read,
  request,
  silencePlex,
  storedJobs,
} from '../youtube/support.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const freeBytes = 1e12
const resting = (reason: RestingSite['reason'], waitMs: number) => ({
  freeBytes,
  troubles: [],
  sites: [{ site: 'youtube.com', reason, waitMs }],
})

test('what a site refuses one downloader is done by the other, and costs no attempt', async () => {
  const frank = await newFriend()
  const owner = await listen(frank)
  const nas = await connect()
  const { id } = await request(frank)
  const first = await nas.takes(id)
  const vps = await connect({ downloaderId: 'vps', slots: 2 })
  await nas.ends(first.leased, failed({ code: 'bot-check', evidence: ['what the tool said'] }))
  const second = await vps.takes(id)
  expect(second.attempt).toBe(1)
  await evictQueue()
  const later = await request(frank)
  await vps.takes(later.id)
  await nas.quiet()
  const downloaders = await queue().downloaders()
  expect(downloaders.toSorted((a, b) => a.id.localeCompare(b.id))).toMatchObject([
    { id: 'nas', busy: 0, sites: [{ site: 'youtube.com', reason: 'bot-check' }] },
    { id: 'vps', busy: 2, sites: [] },
  ])
  const heard = await owner.all(3)
  expect(JSON.stringify(heard)).not.toContain('what the tool said')
  expect(heard[2]).toMatchObject({ event: 'youtube:retrying', data: { failure: { code: 'bot-check' } } })
})

test('a site that rests everywhere is waited for, then tried with one job', async () => {
  const frank = await newFriend()
  const nas = await connect({ slots: 2, state: resting('rate-limited', 30_000) })
  const ids = [(await request(frank)).id, (await request(frank)).id]
  const waiting = await read(frank, ids[0] ?? '')
  expect(waiting).toMatchObject({ status: 'queued', waitingFor: 'site', waitingUntil: expect.any(String) })
  await queue().round(Date.now() + 31_000)
  const { leased } = await nas.takes(ids[0])
  await queue().round(Date.now() + 50_000)
  await nas.ends(leased, completed)
  nas.say({ type: 'state', state: { freeBytes, troubles: [] } })
  await nas.takes(ids[1])
})

test('a site that is only paced is waited for to the moment', async () => {
  const frank = await newFriend()
  const nas = await connect({ state: resting('pace', 100) })
  const { id } = await request(frank)
  await nas.takes(id)
})

test('a refused job waits with its site, and is done once the downloader is welcome again', async () => {
  const frank = await newFriend()
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  nas.say({ type: 'state', state: resting('bot-check', 3_600_000) })
  await nas.ends(leased, failed({ code: 'bot-check' }))
  const waiting = await read(frank, id)
  expect(waiting).toMatchObject({ status: 'retrying', attempt: 1, failure: { code: 'bot-check' } })
  expect(Date.parse(waiting.failure?.retryAt ?? '')).toBeGreaterThan(Date.now() + 3_000_000)
  nas.say({ type: 'state', state: { freeBytes, troubles: [] } })
  await queue().round(Date.now() + 1_000)
  await nas.takes(id)
})

test('what one downloader cannot do another does, and when nobody is left it has failed', async () => {
  const frank = await newFriend()
  const [nas, vps] = [await connect(), await connect({ downloaderId: 'vps', slots: 2 })]
  const { id } = await request(frank)
  const code = { code: 'geo-blocked', retryable: false } as const
  const first = await vps.takes(id)
  await vps.ends(first.leased, failed(code))
  const second = await nas.takes(id)
  await nas.ends(second.leased, failed(code))
  expect(await read(frank, id)).toMatchObject({ status: 'failed', attempt: 1, failure: code })
})

test('a full disk is waited for, and left when there is room', async () => {
  const frank = await newFriend()
  const nas = await connect({ state: { freeBytes: 1_000, troubles: [] } })
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.ends(leased, {
    kind: 'failed',
    neededBytes: 5_000,
    failure: { code: 'no-space', retryable: true },
  })
  expect(await read(frank, id)).toMatchObject({ status: 'retrying', attempt: 1, waitingFor: 'space' })
  nas.say({ type: 'state', state: { freeBytes: 5_000, troubles: [] } })
  expect(await nas.takes(id)).toMatchObject({ attempt: 1 })
})

test('while the queue is paused nothing begins, and what runs goes on', async () => {
  const [frank, admin] = [await newFriend(), await newFriend('admin')]
  const [owner, watcher] = [await listen(frank), await listen(admin)]
  const nas = await connect({ slots: 2 })
  const running = await request(frank)
  const { leased } = await nas.takes(running.id)
  await queue().pause(true)
  await queue().pause(true)
  await evictQueue()
  const { id } = await request(frank)
  expect(await read(frank, id)).toMatchObject({ status: 'queued', waitingFor: 'resume' })
  expect(await queue().overview()).toEqual({ paused: true, waiting: 1, running: 1, scanning: 0, removals: 0 })
  await nas.ends(leased, completed)
  await nas.quiet()
  await queue().pause(false)
  await nas.takes(id)
  expect(await watcher.all(2)).toEqual([
    { event: 'youtube:queue', data: { paused: true } },
    { event: 'youtube:queue', data: { paused: false } },
  ])
  expect(owner.names()).not.toContain('youtube:queue')
})

test('whoever asks for what is under way shares its file once it is there', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const listener = await listen(fatima)
  const nas = await connect({ slots: 3 })
  const url = newVideo()
  const first = await request(frank, { url })
  const twin = await request(fatima, { url })
  const { leased } = await nas.takes(first.id)
  await nas.quiet()
  expect(await read(fatima, twin.id)).toMatchObject({ status: 'queued', waitingFor: 'twin' })
  const warnings = [{ code: 'converted', detail: 'It was put into another form.' } as const]
  await nas.ends(leased, { ...completed, warnings })
  await evictQueue()
  expect(await read(fatima, twin.id)).toMatchObject({ waitingFor: 'twin' })
  await queue().scanned(first.id, '21')
  await queue().scanned(first.id, '21')
  const shared = await read(fatima, twin.id)
  const { title, channel } = metadata
  expect(shared).toMatchObject({ status: 'completed', shared: true, title, channel, warnings })
  expect(shared).toMatchObject({ file: completed.file, plex: { ratingKey: '21' } })
  expect(await read(frank, first.id)).not.toHaveProperty('shared')
  const heard = await listener.all(3)
  expect(heard.map(({ event }) => event)).toEqual([
    'youtube:created',
    'youtube:completed',
    'youtube:available',
  ])
  expect(heard[1]).toMatchObject({ data: { downloadId: twin.id, file: completed.file, warnings } })
  expect(await storedJobs()).toEqual([])
  const { quality, format, extras, videoId } = first
  expect(await createLibraryIndex(env.CACHE).of(videoId)).toEqual([
    { downloadId: first.id, options: { quality, format, extras } },
  ])
})

test('when what they wait for comes to nothing, twins go on by themselves', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect({ slots: 3 })
  const url = newVideo()
  const first = await request(frank, { url })
  const twin = await request(fatima, { url })
  await nas.takes(first.id)
  expect(await queue().cancel(frank.userId, first.id)).toBe(true)
  await nas.next('cancel')
  await nas.takes(twin.id)
  const other = await request(frank, { url, quality: '360p' })
  await nas.takes(other.id)
})

test('a file that Plex shows late is shown to all who share it', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const nas = await connect()
  const url = newVideo()
  const first = await request(frank, { url })
  const twin = await request(fatima, { url })
  const { leased } = await nas.takes(first.id)
  await nas.ends(leased, completed)
  await queue().scanned(first.id, undefined)
  expect(await read(fatima, twin.id)).toMatchObject({ status: 'completed', shared: true })
  expect(await createLibraryIndex(env.CACHE).of(first.videoId)).toEqual([])
  const listener = await listen(fatima)
  await queue().scanned(first.id, '8')
  expect(await read(fatima, twin.id)).toMatchObject({ plex: { ratingKey: '8' } })
  expect(await listener.all(1)).toMatchObject([{ event: 'youtube:available', data: { downloadId: twin.id } }])
})

test('a retry that somebody asks for is told as one, and has all its tries', async () => {
  const frank = await newFriend()
  const owner = await listen(frank)
  const nas = await connect()
  const { id } = await request(frank)
  const first = await nas.takes(id)
  await nas.ends(first.leased, failed({ code: 'private' }))
  const [download] = await queue().active(frank.userId)
  expect(download).toBeUndefined()
  const ended = await read(frank, id)
  await env.DB.prepare("update downloads set status = 'queued', ended_at = null where id = ?").bind(id).run()
  await queue().enqueue({ ...ended, userId: frank.userId }, { attempt: 4 })
  for (const attempt of [4, 5]) {
    const job = await nas.takes(id)
    expect(job.attempt).toBe(attempt)
    await nas.ends(job.leased, failed())
    await queue().round(Date.now() + 1_000)
  }
  const names = (await owner.all(6)).map(({ event, data }) => `${event} ${data['attempt'] ?? ''}`.trim())
  expect(names.slice(2, 5)).toEqual(['youtube:failed', 'youtube:retrying 4', 'youtube:started 4'])
})

test('a question goes to whoever can answer it soonest', async () => {
  const nas = await connect({ state: resting('bot-check', 60_000) })
  const old = await connect({ downloaderId: 'old', state: { freeBytes, troubles: ['ytdlp-missing'] } })
  const vps = await connect({ downloaderId: 'vps', state: resting('rate-limited', 30_000) })
  const url = newVideo()
  const asked = queue().metadata(url)
  const { requestId } = await vps.next('ask')
  vps.say({ type: 'answer', requestId, answer: { kind: 'metadata', metadata } })
  expect(await asked).toEqual({ kind: 'metadata', metadata })

  vps.socket.close(1000)
  await expect.poll(async () => (await queue().downloaders()).length).toBe(2)
  const listed = queue().playlist('https://films.example/list', 3)
  const question = await nas.next('ask')
  expect(question.question).toEqual({ kind: 'playlist', url: 'https://films.example/list', limit: 3 })
  nas.say({ type: 'answer', requestId: question.requestId, answer: { kind: 'metadata', metadata } })
  expect(await listed).toEqual({ kind: 'timeout' })
  await old.quiet()
})

test('jobs that an earlier release has stored are worked on', async () => {
  const frank = await newFriend()
  const { id } = await request(frank)
  await runInDurableObject(queue(), (_, { storage }) => {
    const { extras: _extras, ...job } = storage.kv.get<Record<string, unknown>>(`job:${id}`) ?? {}
    storage.kv.put(`job:${id}`, job)
  })
  await evictQueue()
  const nas = await connect()
  expect(await nas.takes(id)).toMatchObject({ extras: { chapters: true, thumbnail: true } })
})
