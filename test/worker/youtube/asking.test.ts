import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { DownloadRequest, resolveOptions } from '#contract/options.ts'

import { createDownloadStore } from '../../../src/platform/download-store.ts'
import { idOf } from '../../../src/youtube/idempotency.ts'
import { askUnder } from '../support/app.ts'
import { ask as askWorker, expectProblem } from '../support/client.ts'
import { member } from '../support/sessions.ts'
import { clearFaults, world } from '../support/world.ts'
import { answered, friendOf, idsOf, newItem, place, post, quotaOf, roomy } from './asking-support.ts'
import { clearQueue, connect, newFriend, newVideo, queue, silencePlex } from './support.ts'

const [olivia, frank] = [await member('olivia'), await member('frank')]

beforeEach(silencePlex)
afterEach(async () => {
  await clearFaults()
  await clearQueue()
  vi.restoreAllMocks()
})

test('the same request is one download and one charge, at once, later and after its end', async () => {
  const friend = await newFriend()
  const json = { url: newVideo(), quality: '720p', subtitles: { languages: ['de', 'en'] } }
  const send = () => post(friend, json, 'a-key', askWorker)
  const answers = await Promise.all(Array.from({ length: 10 }, send))
  const ids = new Set(await Promise.all(answers.map(async (each) => (await answered(each)).id)))
  expect(ids.size).toBe(1)
  const [id = ''] = ids
  expect(id).toBe(await idOf(friend.userId, 'a-key'))
  expect(await queue().queued()).toBe(1)
  await askWorker('POST', `/api/youtube/downloads/${id}/cancel`, { token: friend.token })
  expect(await answered(send())).toMatchObject({ id, status: 'cancelled' })
  expect(await quotaOf(friend)).toMatchObject({ used: 1 })
  expect(await queue().queued()).toBe(0)
})

test('a key stands for one request of one user', async () => {
  const [friend, other] = [await newFriend(), await newFriend()]
  const url = newVideo()
  const first = await answered(post(friend, { url }, 'key', askWorker))
  for (const json of [{ url: newVideo() }, { url, quality: '480p' }, { url, chapters: false }]) {
    await expectProblem(await post(friend, json, 'key', askWorker), 'idempotency-key-reused')
  }
  const asBefore = { url: `${url}?t=1`, preset: 'plex-direct-play', quality: '1080p' }
  expect((await answered(post(friend, asBefore, 'key', askWorker))).id).toBe(first.id)
  expect((await answered(post(other, { url: newVideo() }, 'key', askWorker))).id).not.toBe(first.id)
  expect(await quotaOf(friend)).toMatchObject({ used: 1 })
})

test.each(['', 'two words', 'é', 'x'.repeat(256)])('%j is no key', async (key) => {
  const friend = await newFriend()
  const problem = await expectProblem(await post(friend, { url: newVideo() }, key), 'invalid-request')
  expect(problem).toMatchObject({ errors: [{ pointer: 'header#/Idempotency-Key' }] })
})

test('the document tells of the key', async () => {
  const document = await (await askWorker('GET', '/openapi.json')).text()
  expect(document).toMatch(/"name": ?"Idempotency-Key", ?"in": ?"header", ?"required": ?false/)
})

test('a request that broke off between storing and charging is charged by its repetition, once', async () => {
  const friend = await newFriend()
  const json = DownloadRequest.parse({ url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ' })
  const id = await idOf(friend.userId, 'key')
  await createDownloadStore(drizzle(env.DB), world.machineIdentifier).insert({
    id,
    userId: friend.userId,
    videoId: 'dQw4w9WgXcQ',
    url: json.url,
    ...resolveOptions(json),
    createdAt: new Date().toISOString(),
  })
  for (const _ of [1, 2, 3]) expect((await answered(post(friend, json, 'key', askWorker))).id).toBe(id)
  expect(await quotaOf(friend)).toMatchObject({ used: 1 })
})

test('of requests that come twice at once, more than there is allowance for, each pair hears the same', async () => {
  const friend = await newFriend()
  const pairs = await Promise.all(
    Array.from({ length: 8 }, async (_, index) => {
      const send = () => post(friend, { url }, `key ${index}`.replace(' ', '-'), askWorker)
      const url = newVideo()
      return Promise.all([send(), send()])
    }),
  )
  const told = await Promise.all(pairs.flat().map(async (each) => (each.ok ? (await answered(each)).id : '')))
  const stored = new Set(await idsOf(friend.userId))
  expect(stored.size).toBe(5)
  // What was accepted is there, and what is there was accepted.
  expect(new Set(told.filter((id) => id !== ''))).toEqual(stored)
  expect(await quotaOf(friend)).toMatchObject({ used: 5 })
})

test('who has used up the space for files hears how much, and what takes none is still to be had', async () => {
  const [owner, other] = [await friendOf(frank), await friendOf(olivia)]
  const json = { url: newVideo() }
  const { id } = await place(owner, json, await newItem())
  await env.DB.prepare('update downloads set bytes = 1000 where id = ?').bind(id).run()
  const withUserLimit = askUnder({ ...roomy, USER_QUOTA_BYTES: '1000' })
  const refused = await post(owner, { url: newVideo() }, undefined, withUserLimit)
  const full = { usedBytes: 1_000, limitBytes: 1_000 }
  expect(await expectProblem(refused, 'storage-quota-exceeded')).toMatchObject(full)
  expect(await quotaOf(owner, withUserLimit)).toMatchObject({
    canDownload: false,
    storage: { ...full, isFull: true },
  })
  // Another’s space is another’s.
  expect(await answered(post(other, { url: newVideo() }, undefined, withUserLimit))).toMatchObject({
    status: 'queued',
  })
  const withTotalLimit = askUnder({ ...roomy, TOTAL_QUOTA_BYTES: '1000' })
  await expectProblem(
    await post(other, { url: newVideo() }, undefined, withTotalLimit),
    'storage-quota-exceeded',
  )
  expect(await quotaOf(other, withTotalLimit)).toMatchObject({
    canDownload: false,
    storage: { usedBytes: 0, isFull: true },
  })
  expect(await answered(post(other, json, undefined, withTotalLimit))).toMatchObject({ shared: true })
  await env.DB.prepare('update downloads set removed_at = ? where id = ?')
    .bind('2026-01-01T00:00:00.000Z', id)
    .run()
  expect(await answered(post(owner, { url: newVideo() }, undefined, withUserLimit))).toMatchObject({
    status: 'queued',
  })
})

test('all that may be wished for reaches the downloader, and what cannot be is refused', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const wish = {
    preset: 'best-quality',
    subtitles: { languages: ['de', 'pt-BR'], delivery: 'sidecar', automatic: true },
    sponsorBlock: { action: 'remove', categories: ['sponsor', 'intro'] },
    chapters: false,
    thumbnail: false,
  }
  const { preset: _preset, ...extras } = wish
  const accepted = await answered(post(friend, { url: newVideo(), ...wish }))
  expect(accepted).toMatchObject({ quality: 'best', format: 'mkv', extras })
  expect(await downloader.offered(accepted.id)).toMatchObject({ quality: 'best', format: 'mkv', extras })
  for (const wrong of [
    { preset: 'huge' },
    { subtitles: { languages: ['all'] } },
    { subtitles: { languages: ['en,--exec'] } },
    { subtitles: { languages: [] } },
    { preset: 'audio', subtitles: { languages: ['en'] } },
    { sponsorBlock: { action: 'delete' } },
    { sponsorBlock: { action: 'mark', categories: ['-all'] } },
    { chapters: 'yes' },
    { extras: {} },
    { output: '../x' },
  ]) {
    await expectProblem(await post(friend, { url: newVideo(), ...wrong }), 'invalid-request')
  }
})
