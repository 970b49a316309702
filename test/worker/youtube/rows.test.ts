import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { PlaylistRequest, resolveOptions } from '#contract/options.ts'

import { createLibraryIndex } from '../../../src/platform/library-index.ts'
import { PlaylistBody } from '../../../src/youtube/asking-schema.ts'
import { predictSelection } from '../../../src/youtube/predict.ts'
import { askUnder } from '../support/app.ts'
import { expectData } from '../support/client.ts'
import { member } from '../support/sessions.ts'
import { friendOf, newItem, tells } from './asking-support.ts'
import {
  clearQueue,
  completed,
  connect,
  metadata,
  newFriend,
  newVideo,
  progress,
  queue,
  read,
  request,
  silencePlex,
  type Downloader,
} from './support.ts'
import { store, storeFile } from './stored.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

/** Counts the rows that D1 says were written, and those of the objects: one for each value put, deleted or alarm set. */
async function countRows() {
  let d1 = 0
  const statement: D1PreparedStatement = Object.getPrototypeOf(env.DB.prepare('select 1'))
  vi.spyOn(statement, 'raw').mockImplementation(async function (this: D1PreparedStatement) {
    const { results, meta } = await this.all()
    d1 += meta.rows_written
    return results.map((row) => Object.values(row))
  })
  const database: D1Database = Object.getPrototypeOf(env.DB)
  const batches = vi.spyOn(database, 'batch')
  const inBatches = () =>
    batches.mock.settledResults
      .flatMap((result) => (result.type === 'fulfilled' ? result.value : []))
      .reduce((sum, { meta }) => sum + meta.rows_written, 0)
  const { changes, alarms } = await runInDurableObject(queue(), (_, { storage }) => {
    const kv: DurableObjectStorage['kv'] = Object.getPrototypeOf(storage.kv)
    const prototype: DurableObjectStorage = Object.getPrototypeOf(storage)
    return {
      changes: [vi.spyOn(kv, 'put'), vi.spyOn(kv, 'delete')],
      alarms: vi.spyOn(prototype, 'setAlarm'),
    }
  })
  return () => {
    const keys = changes.flatMap(({ mock }) => mock.calls.map(([key]) => key))
    return {
      d1: d1 + inBatches(),
      queue: keys.filter((key) => !key.startsWith('window:')).length + alarms.mock.calls.length,
      quota: keys.filter((key) => key === 'window:downloads').length,
    }
  }
}

async function work(downloader: Downloader, id: string) {
  const { leased } = await downloader.takes(id)
  for (const percent of [1, 20, 40, 60, 80]) {
    downloader.say({ type: 'progress', ...leased, progress: progress(percent) })
  }
  downloader.say({ type: 'progress', ...leased, progress: progress(90, 'processing') })
  downloader.say({ type: 'progress', ...leased, progress: progress(98, 'placing') })
  await downloader.ends(leased, completed)
  await queue().scanned(id, '12')
}

test('a whole download writes no more than twelve rows', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const rows = await countRows()
  const { id } = await request(frank)
  await work(downloader, id)
  expect(await read(frank, id)).toMatchObject({ status: 'completed', plex: { ratingKey: '12' } })
  expect(rows()).toEqual({ d1: 7, queue: 3, quota: 1 })
})

test('nor does one that had to wait its turn', async () => {
  const frank = await newFriend()
  const rows = await countRows()
  const { id } = await request(frank)
  const downloader = await connect()
  await work(downloader, id)
  expect(rows()).toEqual({ d1: 7, queue: 4, quota: 1 })
})

test('nor does one that had to wait for its site', async () => {
  const frank = await newFriend()
  const sites = [{ site: 'youtube.com', reason: 'pace' as const, waitMs: 500 }]
  const downloader = await connect({ state: { freeBytes: 1e12, troubles: [], sites } })
  const rows = await countRows()
  const { id } = await request(frank)
  await work(downloader, id)
  const { d1, queue, quota } = rows()
  expect(d1 + queue + quota).toBeLessThanOrEqual(12)
})

test('a file that is shared costs fewer', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const downloader = await connect({ slots: 2 })
  const { id, url } = await request(frank)
  const { leased } = await downloader.takes(id)
  await downloader.ends(leased, completed)
  const rows = await countRows()
  const twin = await request(fatima, { url })
  await queue().scanned(id, '12')
  expect(await read(fatima, twin.id)).toMatchObject({ status: 'completed', shared: true })
  expect(rows()).toEqual({ d1: 7, queue: 3, quota: 1 })
})

test('a queue that only waits and a minute that passes write nothing', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const { id } = await request(frank)
  await downloader.takes(id)
  await downloader.quiet()
  await request(frank)
  const rows = await countRows()
  await queue().adopt()
  await queue().round()
  expect(rows()).toEqual({ d1: 0, queue: 0, quota: 0 })
})

const url = 'https://www.youtube.com/playlist?list=PL0123456789'

/** Somebody’s, behind one item of Plex, with all that is known of a file. */
async function placeMany(count: number): Promise<readonly string[]> {
  const owner = await newFriend()
  const ratingKey = await newItem()
  const options = resolveOptions(PlaylistRequest.parse({ url }))
  const index = createLibraryIndex(env.CACHE)
  const known = {
    ...options,
    ratingKey,
    channel: 'Cats',
    durationSeconds: 61,
    thumbnail: 'https://i.ytimg.com/cat.jpg',
    selection: predictSelection(options, metadata),
    warnings: [{ code: 'subtitles-missing' as const, detail: 'de' }],
  }
  const files = await Promise.all(Array.from({ length: count }, () => storeFile(owner, known)))
  await Promise.all(files.map(({ id, videoId }) => index.add(videoId, { downloadId: id, options })))
  return files.map((file) => file.url)
}

test('a long playlist is answered in far fewer queries than the fifty that one request may make', async () => {
  const friend = await friendOf(await member('frank'))
  const downloader = await connect()
  const placed = await placeMany(20)
  const active = await Promise.all(Array.from({ length: 10 }, () => store(friend, { status: 'queued' })))
  const fresh = Array.from({ length: 20 }, newVideo)
  const urls = [...fresh, ...active.map((download) => download.url), ...placed]

  const database: D1Database = Object.getPrototypeOf(env.DB)
  const queries = vi.spyOn(database, 'prepare')
  const limits = { USER_QUOTA_BYTES: '1000000000', TOTAL_QUOTA_BYTES: '1000000000' }
  const answer = askUnder(limits)('POST', '/api/youtube/playlist', {
    token: friend.token,
    json: { url },
    headers: { 'Idempotency-Key': 'list' },
  })
  await tells(downloader, { id: 'PL0123456789', videos: urls.map((each) => ({ url: each })) })
  const { results } = (await expectData(await answer, 200, PlaylistBody)).data
  expect(results.map(({ outcome }) => outcome)).toEqual([
    ...Array(5).fill('accepted'),
    ...Array(15).fill('over-quota'),
    ...Array(10).fill('duplicate'),
    ...Array(20).fill('shared'),
  ])
  expect(queries.mock.calls.length).toBeLessThanOrEqual(30)
})
