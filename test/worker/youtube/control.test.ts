import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type * as z from 'zod'

import { QueueBody, PausedBody, RetriedBody } from '../../../src/youtube/control-schema.ts'
import { YoutubeHealthBody } from '../../../src/youtube/schema.ts'
import { askUnder } from '../support/app.ts'
import { ask, expectData, expectProblem } from '../support/client.ts'
import { auditOf, failure, store, storeFile } from './stored.ts'
import {
  clearQueue,
  connect,
  DownloadBody,
  failed,
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
const retry = (friend: Friend, id: string) => ask('POST', path(id, '/retry'), friend)
const cancel = (friend: Friend, id: string) => ask('POST', path(id, '/cancel'), friend)
const retryFailed = async (friend: Friend, query = '') =>
  (
    await expectData(
      await ask('POST', `/api/youtube/downloads/retry-failed${query}`, friend),
      200,
      RetriedBody,
    )
  ).data
test('what has failed is tried again from the beginning, and costs no allowance', async () => {
  const nas = await connect()
  const { id, videoId } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.ends(leased, failed({ code: 'private', retryable: false }))
  const { data } = await expectData(await retry(frank, id), 200, DownloadBody)
  expect(data).toMatchObject({ id, videoId, attempt: 1, progress: 0 })
  expect(data).not.toHaveProperty('failure')
  expect(data).not.toHaveProperty('endedAt')
  await nas.offered(id)
  await expectProblem(await retry(frank, id), 'download-not-failed')
  const quota = await ask('GET', '/api/youtube/quota', frank)
  expect(await quota.json()).toMatchObject({ data: { used: 1 } })
})

test('of many that try the same again at once one does', async () => {
  const { id } = await store(frank, { status: 'cancelled' })
  const answers = await Promise.all(Array.from({ length: 8 }, () => retry(frank, id)))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array<number>(7).fill(409)])
  expect(await queue().queued()).toBe(1)
})

test('nothing is tried again that is over well, or on its way by another request', async () => {
  const done = await store(frank)
  expect(await expectProblem(await retry(frank, done.id), 'download-not-failed')).toMatchObject({
    downloadStatus: 'completed',
  })
  const old = await store(frank, failure('network'))
  const now = await store(frank, { videoId: old.videoId, status: 'queued' })
  expect(await expectProblem(await retry(frank, old.id), 'duplicate-download')).toMatchObject({
    downloadId: now.id,
  })
  expect(await read(frank, old.id)).toMatchObject({ status: 'failed' })
  expect(
    (await retry(fatima, (await store(fatima, { ...failure('network'), videoId: old.videoId })).id)).status,
  ).toBe(200)
})

test('all that may go better is tried again, each video once', async () => {
  const network = await store(frank, failure('network'))
  const gone = await store(frank, failure('private'))
  await store(frank, failure('format-unavailable'))
  const later = { createdAt: '2026-10-05T00:00:00.000Z' }
  const twice = await store(frank, failure('network'))
  const again = await store(frank, { ...failure('network'), videoId: twice.videoId, ...later })
  const since = await store(frank, failure('network'))
  await store(frank, { videoId: since.videoId, ...later })
  const active = await store(frank, failure('network'))
  await store(frank, { videoId: active.videoId, status: 'queued', ...later })
  const hers = await store(fatima, failure('network'))

  expect(await retryFailed(frank)).toEqual([
    { downloadId: again.id, videoId: again.videoId, outcome: 'queued' },
    { downloadId: network.id, videoId: network.videoId, outcome: 'queued' },
  ])
  expect(await queue().queued()).toBe(2)
  expect(await retryFailed(frank)).toEqual([])
  expect(await retryFailed(frank, '?code=private')).toMatchObject([{ downloadId: gone.id }])
  expect(await retryFailed(admin)).toEqual([])
  expect(await retryFailed(admin, '?scope=all')).toMatchObject([{ downloadId: hers.id }])
  expect(await auditOf(admin.userId)).toEqual([{ action: 'youtube.retry-failed', target: '1 downloads' }])
  const all = '/api/youtube/downloads/retry-failed?scope=all'
  await expectProblem(await ask('POST', all, frank), 'forbidden')
})

test('who has no room left tries nothing again', async () => {
  const asked = askUnder({ USER_QUOTA_BYTES: '100' })
  await storeFile(frank, { bytes: 100 })
  const { id } = await store(frank, failure('network'))
  for (const each of [path(id, '/retry'), '/api/youtube/downloads/retry-failed']) {
    await expectProblem(await asked('POST', each, frank), 'storage-quota-exceeded')
  }
  await expectProblem(await asked('POST', path(id, '/retry'), admin), 'storage-quota-exceeded')
  expect(await read(frank, id)).toMatchObject({ status: 'failed' })
})

test('no more than a hundred are tried again at once', async () => {
  await Promise.all(Array.from({ length: 101 }, () => store(frank, failure('network'))))
  expect(await retryFailed(frank)).toHaveLength(100)
  expect(await retryFailed(frank)).toHaveLength(1)
})

test('an admin stops and tries again anybody’s, on record', async () => {
  const { id } = await request(frank)
  await expectProblem(await cancel(fatima, id), 'not-found')
  const { data } = await expectData(await cancel(admin, id), 200, DownloadBody)
  expect(data).toMatchObject({ status: 'cancelled', userId: frank.userId })
  expect((await retry(admin, id)).status).toBe(200)
  expect(await auditOf(admin.userId)).toEqual([
    { action: 'youtube.download.cancel', target: id },
    { action: 'youtube.download.retry', target: id },
  ])
  expect((await cancel(frank, id)).status).toBe(200)
  expect(await auditOf(frank.userId)).toEqual([])
})

test('the queue is paused and resumed by admins, on record', async () => {
  await connect({
    state: {
      freeBytes: 1e12,
      troubles: [],
      sites: [{ site: 'youtube.com', reason: 'bot-check', waitMs: 59_500 }],
    },
  })
  const seen = async () =>
    (await expectData(await ask('GET', '/api/youtube/queue', admin), 200, QueueBody)).data
  expect(await seen()).toMatchObject({
    paused: false,
    waiting: 0,
    removals: 0,
    downloaders: [
      {
        id: 'nas',
        freeBytes: 1e12,
        sites: [{ site: 'youtube.com', reason: 'bot-check', waitSeconds: expect.any(Number) }],
      },
    ],
  })
  const change = async (to: string) =>
    (await expectData(await ask('POST', `/api/youtube/queue/${to}`, admin), 200, PausedBody)).data
  expect(await change('pause')).toEqual({ paused: true })
  expect(await seen()).toMatchObject({ paused: true })
  type Health = z.output<typeof YoutubeHealthBody>['data']
  const health = async (friend?: Friend): Promise<Health> =>
    (await expectData(await ask('GET', '/api/youtube/health', friend), 200, YoutubeHealthBody)).data
  expect(await health(frank)).toMatchObject({
    paused: true,
    downloaders: [{ restingSites: [{ site: 'youtube.com', reason: 'bot-check' }] }],
  })
  expect(await health()).not.toHaveProperty('paused')
  expect(await change('resume')).toEqual({ paused: false })
  expect(await seen()).toMatchObject({ paused: false })
  expect((await auditOf(admin.userId)).map(({ action }) => action)).toEqual([
    'youtube.queue.pause',
    'youtube.queue.resume',
  ])
})
