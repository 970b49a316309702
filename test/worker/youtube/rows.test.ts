import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import {
  clearQueue,
  completed,
  connect,
  newFriend,
  progress,
  queue,
  read,
  request,
  silencePlex,
  type Downloader,
} from './support.ts'

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
  const { batch } = database
  vi.spyOn(database, 'batch').mockImplementation(async function <T>(
    this: D1Database,
    statements: D1PreparedStatement[],
  ) {
    const results = await batch.call<D1Database, [D1PreparedStatement[]], Promise<D1Result<T>[]>>(
      this,
      statements,
    )
    d1 += results.reduce((sum, { meta }) => sum + meta.rows_written, 0)
    return results
  })
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
      d1,
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
