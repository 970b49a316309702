import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { DownloadQueue } from '../../../src/durable/download-queue.ts'
import { createLibraryIndex } from '../../../src/platform/library-index.ts'
import { RemovedBody } from '../../../src/youtube/control-schema.ts'
import type { Removal } from '../../../src/youtube/ports.ts'
import { askUnder } from '../support/app.ts'
import { ask, expectData, expectProblem } from '../support/client.ts'
import { auditOf, failure, rowOf, store, storeFile, storeShared } from './stored.ts'
import {
  clearQueue,
  connect,
  listen,
  newFriend,
  queue,
  read,
  request,
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

const path = (id: string, rest = '') => `/api/youtube/downloads/${id}${rest}`
const remove = async (friend: Friend, id: string, file = true) =>
  (await expectData(await ask('DELETE', path(id, `?file=${file}`), friend), 200, RemovedBody)).data
const removeFile = async (friend: Friend, id: string) =>
  (await expectData(await ask('DELETE', path(id, '/file'), friend), 200, RemovedBody)).data

/** What the queue was told to have taken out of the library. */
async function removals() {
  const spy = await runInDurableObject(queue(), (instance) => {
    const prototype: DownloadQueue = Object.getPrototypeOf(instance)
    return vi.spyOn(prototype, 'remove')
  })
  return (): Removal[] => spy.mock.calls.map(([removal]) => removal)
}

test('a record goes and its file stays, or both go, as its owner wishes', async () => {
  const told = await removals()
  const live = await listen(frank)
  const [kept, gone, failedOne] = [
    await storeFile(frank),
    await storeFile(frank),
    await store(frank, failure('network')),
  ]
  expect(await remove(frank, kept.id, false)).toEqual({ record: true, file: 'none' })
  expect(told()).toEqual([])
  expect(await remove(frank, gone.id)).toEqual({ record: true, file: 'removing' })
  const { id: downloadId, videoId, file, plexPath, downloaderId } = gone
  expect(told()).toEqual([{ downloadId, userId: frank.userId, videoId, file, plexPath, downloaderId }])
  expect(await remove(frank, failedOne.id)).toEqual({ record: true, file: 'none' })
  for (const { id } of [kept, gone, failedOne]) {
    await expectProblem(await ask('GET', path(id), frank), 'not-found')
    await expectProblem(await ask('DELETE', path(id), frank), 'not-found')
  }
  expect((await live.all(3)).map(({ event, data }) => [event, data['downloadId'], data['record']])).toEqual(
    [kept, gone, failedOne].map(({ id }) => ['youtube:removed', id, true]),
  )
  live.socket.close()
})

test('a file goes and the record stays, once', async () => {
  const told = await removals()
  const mine = await storeFile(frank)
  expect(await removeFile(frank, mine.id)).toEqual({ record: false, file: 'removing' })
  expect(told()).toMatchObject([{ downloadId: mine.id }])
  expect((await read(frank, mine.id)).title).toBe('A film')
  const without = await storeFile(frank, { removedAt: '2026-10-02T00:00:00.000Z' })
  for (const { id } of [without, await store(frank, failure('network'))]) {
    await expectProblem(await ask('DELETE', path(id, '/file'), frank), 'download-has-no-file')
  }
})

test('what is under way is not taken away', async () => {
  const told = await removals()
  const { id } = await request(frank)
  for (const rest of ['', '?file=true', '/file']) {
    await expectProblem(await ask('DELETE', path(id, rest), frank), 'download-active')
  }
  expect(told()).toEqual([])
  expect(await read(frank, id)).toMatchObject({ status: 'queued' })
})

test('a file that others have passes to the oldest of them', async () => {
  const told = await removals()
  const original = await storeFile(frank)
  const heir = await storeShared(fatima, original, { createdAt: '2026-10-02T00:00:00.000Z' })
  const third = await storeShared(admin, original, { createdAt: '2026-10-03T00:00:00.000Z' })
  const index = createLibraryIndex(env.CACHE)
  const options = { quality: '1080p', format: 'mp4', extras: { chapters: true, thumbnail: true } } as const
  await index.add(original.videoId, { downloadId: original.id, options })
  expect(await remove(frank, original.id)).toEqual({ record: true, file: 'kept-for-others' })
  expect(await index.of(original.videoId)).toEqual([{ downloadId: heir.id, options }])
  expect(told()).toEqual([])
  const { plexPath, downloaderId, bytes } = original
  expect(await rowOf(heir.id)).toMatchObject({ plexPath, downloaderId, bytes, sharedFrom: null })
  expect(await rowOf(third.id)).toMatchObject({ plexPath: null, bytes: null, sharedFrom: heir.id })
  expect(await read(fatima, heir.id)).not.toHaveProperty('shared')

  // Now it is hers, and she lets go of it while a third has it.
  expect(await removeFile(fatima, heir.id)).toEqual({ record: false, file: 'kept-for-others' })
  expect(await read(fatima, heir.id)).toHaveProperty('removedAt')
  expect(await rowOf(third.id)).toMatchObject({ plexPath, downloaderId, bytes, sharedFrom: null })
  expect(await remove(admin, third.id)).toEqual({ record: true, file: 'removing' })
  expect(told()).toMatchObject([{ downloadId: third.id, plexPath, downloaderId }])
})

test('who only shares a file cannot take it away; an admin can, from everybody', async () => {
  const told = await removals()
  const original = await storeFile(frank)
  const shared = [await storeShared(fatima, original), await storeShared(fatima, original)]
  const [first, second] = shared.map(({ id }) => id)
  expect(await remove(fatima, first ?? '')).toEqual({ record: true, file: 'kept-for-others' })
  expect(told()).toEqual([])
  expect(await rowOf(original.id)).toMatchObject({ plexPath: original.plexPath })
  expect(await remove(admin, second ?? '')).toEqual({ record: true, file: 'removing' })
  expect(told()).toMatchObject([{ downloadId: original.id, userId: frank.userId }])
  expect(await auditOf(admin.userId)).toEqual([{ action: 'youtube.download.delete', target: second }])
  const third = await storeShared(fatima, original)
  const nas = await connect()
  expect(await nas.next('remove')).toMatchObject({ jobId: original.id, plexPath: original.plexPath })
  nas.say({ type: 'removed', jobId: original.id, outcome: 'removed' })
  await nas.quiet()
  expect(await read(frank, original.id)).toHaveProperty('removedAt')
  expect(await read(fatima, third.id)).toHaveProperty('removedAt')
})

test('where space is counted, no one but an admin leaves a file without a record', async () => {
  await removals()
  const asked = askUnder({ USER_QUOTA_BYTES: '1000' })
  const { id } = await storeFile(frank)
  await expectProblem(await asked('DELETE', path(id), frank), 'forbidden')
  expect((await asked('DELETE', path(id, '?file=true'), frank)).status).toBe(200)
  const other = await storeFile(frank)
  expect((await asked('DELETE', path(other.id), admin)).status).toBe(200)
})
