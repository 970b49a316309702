import { createScheduledController } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import worker from '../../../src/index.ts'
import { createDownloadRetention } from '../../../src/platform/download-retention.ts'
import { buildServices } from '../../../src/services.ts'
import { RetentionBody } from '../../../src/youtube/control-schema.ts'
import { askUnder } from '../support/app.ts'
import { ask, expectData, expectProblem } from '../support/client.ts'
import { auditOf, storeFile, storeShared } from './stored.ts'
import {
  clearQueue,
  connect,
  DownloadBody,
  listen,
  newFriend,
  queue,
  read,
  silencePlex,
  type Friend,
} from './support.ts'

let frank: Friend
let fatima: Friend
let admin: Friend

beforeEach(async () => {
  await silencePlex()
  ;[frank, fatima, admin] = [await newFriend(), await newFriend(), await newFriend('admin')]
})
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const retain = async (friend: Friend, json: unknown, asked = ask) =>
  (await expectData(await asked('POST', '/api/youtube/retention', { ...friend, json }), 200, RetentionBody))
    .data
const takeOld = () => retain(admin, { maxAgeDays: 1, dryRun: false })
const leaving = async () => (await queue().removals()).leaving
const protect = (friend: Friend, id: string, json: unknown) =>
  ask('PUT', `/api/youtube/downloads/${id}/protection`, { ...friend, json })

test('retention takes what is too old or too much, never what is protected by any who have it', async () => {
  const at = (day: number) => ({ endedAt: new Date(Date.UTC(2026, 8, day)).toISOString() })
  const old = await storeFile(frank, { bytes: 10, ...at(1) })
  const guarded = await storeFile(frank, { bytes: 20, ...at(2) })
  const sharedLater = await storeFile(frank, { bytes: 30, ...at(3) })
  const next = await storeFile(fatima, { bytes: 40, ...at(4) })
  const last = await storeFile(fatima, { bytes: 50, ...at(5) })
  const sharesGuarded = await storeShared(fatima, guarded, at(2))
  await storeShared(fatima, sharedLater, at(20))
  await storeFile(frank, { bytes: 1_000, status: 'scanning', endedAt: null })
  await storeFile(frank, { bytes: 5_000, ...at(1), removedAt: '2026-09-02T00:00:00.000Z' })
  const { data } = await expectData(
    await protect(fatima, sharesGuarded.id, { protected: true }),
    200,
    DownloadBody,
  )
  expect(data).toMatchObject({ id: sharesGuarded.id, protected: true })
  await expectProblem(await protect(fatima, old.id, { protected: true }), 'not-found')
  await expectProblem(await protect(frank, old.id, { protected: 1 }), 'invalid-request')

  const plan = [
    { downloadId: old.id, title: 'A film', bytes: 10, reason: 'space' as const },
    { downloadId: next.id, title: 'A film', bytes: 40, reason: 'space' as const },
  ]
  const figures = { removed: plan, freedBytes: 50, keptBytes: 1_100, later: 0, stuck: 0 }
  expect(await retain(admin, { maxBytes: 1_110 })).toEqual({ dryRun: true, ...figures })
  expect(await leaving()).toEqual([])
  expect(await auditOf(admin.userId)).toEqual([])
  expect(await retain(admin, { maxBytes: 1_110, dryRun: false })).toEqual({ dryRun: false, ...figures })
  expect(await leaving()).toEqual([old.id, next.id])
  const target = `2 files, 50 bytes: ${old.id} ${next.id}`
  expect(await auditOf(admin.userId)).toEqual([{ action: 'youtube.retention', target }])

  const tooOld = (Date.now() - Date.UTC(2026, 8, 5) - 1_000) / 86_400_000
  const byAge = await retain(admin, { maxAgeDays: tooOld })
  expect(byAge.removed.map(({ downloadId, reason }) => [downloadId, reason])).toEqual([[last.id, 'age']])
  expect(await retain(admin, {})).toMatchObject({ removed: [], keptBytes: 1_100 })
  const configured = askUnder({ RETENTION_MAX_BYTES: '1090' })
  expect(await retain(admin, {}, configured)).toMatchObject({ freedBytes: 50, keptBytes: 1_050 })
})

test('retention goes round once an hour, a bounded number at a time, and only where it is set up', async () => {
  await Promise.all(Array.from({ length: 51 }, () => storeFile(frank)))
  const prepare = vi.spyOn(Object.getPrototypeOf(env.DB) as D1Database, 'prepare')
  const under: Env = Object.assign({}, env, { RETENTION_DAYS: '1' })
  const { retention } = buildServices(env)
  const configured = buildServices(under).retention
  const due = Date.parse('2026-11-01T12:23:40Z')
  expect(await retention.round(due)).toBe(0)
  expect(await configured.round(due - 60_000)).toBe(0)
  expect(await configured.round(due + 60_000)).toBe(0)
  expect(prepare).not.toHaveBeenCalled()
  expect(await configured.round(due)).toBe(50)
  expect(await leaving()).toHaveLength(50)
  const [entry] = await auditOf('retention')
  expect(entry?.target).toMatch(/^50 files, 5000 bytes:( [-0-9a-f]{36}){50}$/)
  // The downloader is away, and what waits for it is not ordered out again.
  expect(await retain(admin, { maxAgeDays: 1 })).toMatchObject({ freedBytes: 100, keptBytes: 0, later: 0 })
  expect([await configured.round(due), await configured.round(due)]).toEqual([1, 0])
  expect(await auditOf('retention')).toHaveLength(2)
})

test('the worker’s own clock takes what is too old, and its owner hears why', async () => {
  const old = await storeFile(frank)
  const [nas, live] = [await connect(), await listen(frank)]
  const under: Env = Object.assign({}, env, { RETENTION_DAYS: '1' })
  const strikes = (time: string) =>
    worker.scheduled(createScheduledController({ scheduledTime: Date.parse(time) }), under)
  await strikes('2026-11-01T12:23:00Z')
  expect(await leaving()).toEqual([old.id])
  await strikes('2026-11-01T12:24:00Z')
  expect(await nas.said('remove')).toMatchObject({ jobId: old.id, plexPath: old.plexPath })
  nas.say({ type: 'removed', jobId: old.id, outcome: 'removed' })
  expect(await live.all(1)).toEqual([
    {
      event: 'youtube:removed',
      data: { downloadId: old.id, file: true, record: false, reason: 'retention' },
    },
  ])
  live.socket.close()
})

test('what somebody protects or gets before its downloader is back stays, until it may go again', async () => {
  const [old, guarded, shared] = [await storeFile(frank), await storeFile(frank), await storeFile(frank)]
  await takeOld()
  expect(await leaving()).toHaveLength(3)
  expect((await protect(frank, guarded.id, { protected: true })).status).toBe(200)
  await storeShared(fatima, shared, { endedAt: new Date().toISOString() })

  const nas = await connect()
  await nas.quiet()
  await queue().round()
  expect(await nas.next('remove')).toMatchObject({ jobId: old.id })
  nas.say({ type: 'removed', jobId: old.id, outcome: 'removed' })
  await nas.quiet()
  expect(await leaving()).toEqual([])
  expect(await read(frank, guarded.id)).not.toHaveProperty('removedAt')
  expect(await takeOld()).toMatchObject({ removed: [], keptBytes: 200, stuck: 0 })

  await protect(frank, guarded.id, { protected: false })
  expect((await takeOld()).removed).toMatchObject([{ downloadId: guarded.id }])
  await queue().round()
  expect(await nas.next('remove')).toMatchObject({ jobId: guarded.id })
  // It had heard of it before it was protected: what is gone is gone.
  await protect(frank, guarded.id, { protected: true })
  await queue().round()
  await nas.quiet()
  nas.say({ type: 'removed', jobId: guarded.id, outcome: 'removed' })
  await nas.quiet()
  expect(await read(frank, guarded.id)).toHaveProperty('removedAt')
})

test('what any who have it protect while the plan is made is not ordered out', async () => {
  const [old, guarded, shared] = [await storeFile(frank), await storeFile(frank), await storeFile(frank)]
  const sharer = await storeShared(fatima, shared)
  for (const { id } of [guarded, sharer]) {
    await env.DB.prepare('update downloads set is_protected = 1 where id = ?').bind(id).run()
  }
  const store = createDownloadRetention(drizzle(env.DB))
  const cleared = await store.clearances([old.id, guarded.id, shared.id])
  expect(cleared.map(({ downloadId }) => downloadId)).toEqual([old.id])
})

test('what its downloader refuses to remove is left out, and somebody is told to look', async () => {
  const { id } = await storeFile(frank)
  const nas = await connect()
  await takeOld()
  for (let round = 0; round < 10; round += 1) {
    await queue().round()
    await nas.next('remove')
    nas.say({ type: 'removed', jobId: id, outcome: 'refused' })
    await nas.quiet()
  }
  await queue().round()
  await nas.quiet()
  expect(await takeOld()).toMatchObject({ removed: [], freedBytes: 0, keptBytes: 100, later: 0, stuck: 1 })
  expect(await auditOf(admin.userId)).toHaveLength(1)
  // Somebody may have looked.
  await queue().round(Date.now() + 8 * 86_400_000)
  expect(await takeOld()).toMatchObject({ removed: [{ downloadId: id }], stuck: 0 })
})
