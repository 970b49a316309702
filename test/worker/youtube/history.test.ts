import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type * as z from 'zod'

import { DownloadsBody, StatsBody } from '../../../src/youtube/history-schema.ts'
import { ask, expectData, expectProblem } from '../support/client.ts'
import { store, storeFile, storeShared, type Stored } from './stored.ts'
import { clearQueue, newFriend, read, request, type Friend } from './support.ts'

let frank: Friend
let fatima: Friend
let admin: Friend

beforeEach(async () => {
  ;[frank, fatima, admin] = [await newFriend(), await newFriend(), await newFriend('admin')]
})
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const search = (query: Record<string, string>) => `?${new URLSearchParams(query).toString()}`
const list = ({ token }: Friend, query: Record<string, string> = {}) =>
  ask('GET', `/api/youtube/downloads${search(query)}`, { token })
const found = async (friend: Friend, query: Record<string, string>) =>
  (await expectData(await list(friend, query), 200, DownloadsBody)).data.map(({ id }) => id)
const ids = (...some: Stored[]) => some.map(({ id }) => id)
const stats = async ({ token }: Friend, query: Record<string, string> = {}) =>
  (await expectData(await ask('GET', `/api/youtube/stats${search(query)}`, { token }), 200, StatsBody)).data

test('words are found in title, channel and video id, in small and capital letters', async () => {
  const title = await store(frank, { title: 'Ärger im 100%igen ZOO', channel: 'Tiere_Heute' })
  const channel = await store(frank, { title: 'Strange', channel: 'ÜBER ALLES' })
  const video = await store(frank, { videoId: 'aB-cD_eF012' })
  const mixed = await store(frank, { title: 'Привет МИР, тРЕВОГА', channel: 'ΟΔΟΣ – οδος – STRASSE' })
  await store(fatima, { title: 'Ärger im Zoo' })
  const cases: [string, Stored[]][] = [
    ['zoo', [title]],
    ['ärger IM', [title]],
    ['ÄRGER', [title]],
    ['100%', [title]],
    ['100%z', []],
    ['e_h', [title]],
    ['r_e', []],
    ['über alles', [channel]],
    ['AB-CD', [video]],
    ['привет мир', [mixed]],
    ['ПРИВЕТ мИР, тревога', [mixed]],
    ['приветмир', []],
    ['οδοσ – ΟΔΟΣ – straße', [mixed]],
    [' strange ', [channel]],
    ["'", []],
    ['x'.repeat(100), []],
  ]
  for (const [q, expected] of cases) expect(await found(frank, { q }), q).toEqual(ids(...expected))
})

test('a title is found by all of a hundred characters, more than a pattern may have', async () => {
  const title = `${'ä'.repeat(60)} ${'long '.repeat(20)}`
  const long = await store(frank, { title })
  expect(await found(frank, { q: title.slice(0, 100).toUpperCase() })).toEqual(ids(long))

  const letters = Array.from({ length: 0x400 }, (_, index) => String.fromCharCode(0x100 + index))
  const small = letters.filter(
    (letter) => letter.toUpperCase().toLowerCase() === letter && /\p{Ll}/u.test(letter),
  )
  const different = small.slice(0, 100).join('')
  const rare = await store(frank, { title: different })
  expect(await found(frank, { q: different })).toEqual(ids(rare))
  const capitals = different.slice(0, 60).toUpperCase()
  expect(await found(frank, { q: capitals })).toEqual(ids(rare))
})

test('states are asked for one or several at a time, times with both ends', async () => {
  const failed = await store(frank, { status: 'failed', createdAt: '2026-10-01T00:00:00.000Z' })
  const completed = await store(frank, { createdAt: '2026-10-02T23:59:59.999Z' })
  const queued = await store(frank, { status: 'queued', createdAt: '2026-10-03T00:00:00.000Z' })
  expect(await found(frank, { status: 'failed' })).toEqual(ids(failed))
  expect(await found(frank, { status: 'failed,queued' })).toEqual(ids(queued, failed))
  // More often than a query takes values.
  const often = Array.from({ length: 142 }, () => 'failed').join()
  expect(await found(frank, { status: often })).toEqual(ids(failed))
  expect(await found(frank, { from: '2026-10-01', to: '2026-10-02' })).toEqual(ids(completed, failed))
  expect(await found(frank, { from: '2026-10-02' })).toEqual(ids(queued, completed))
  expect(await found(frank, { from: '2026-10-03T00:00:00Z', to: '2026-10-03T00:00:00Z' })).toEqual(
    ids(queued),
  )
  expect(await found(frank, { from: '2026-10-03T02:00:00+02:00' })).toEqual(ids(queued))
  expect(await found(frank, { to: '2026-10-02', status: 'completed', q: completed.videoId })).toEqual(
    ids(completed),
  )
})

test('pages follow one another without gap or repetition, also among those of the same moment', async () => {
  const all = []
  for (let count = 0; count < 7; count += 1) all.push(await store(frank))
  const pages = []
  for (const page of ['1', '2', '3', '4']) pages.push(await found(frank, { page, limit: '2' }))
  expect(pages.map(({ length }) => length)).toEqual([2, 2, 2, 1])
  expect(pages.flat().toSorted()).toEqual(ids(...all).toSorted())
  expect(pages.flat()).toEqual(await found(frank, { limit: '100' }))
})

test('what is no filter is refused', async () => {
  for (const query of [
    { q: '' },
    { q: 'x'.repeat(101) },
    { status: 'failed,lost' },
    { status: '' },
    { from: 'yesterday' },
    { to: '2026-02-30' },
    { scope: 'fatima' },
    { userId: fatima.userId },
    { limit: '101' },
  ]) {
    await expectProblem(await list(frank, query), 'invalid-request')
  }
})

test('all are for admins, who alone see whose they are and what a tool has said', async () => {
  const failure = { code: 'private', retryable: false, evidence: ['ERROR: Private video'] } as const
  const his = await store(frank, {
    status: 'failed',
    failure: { ...failure, evidence: [...failure.evidence] },
  })
  const hers = await store(fatima, { createdAt: '2026-10-02T00:00:00.000Z' })
  expect(await found(admin, {})).toEqual([])
  expect(await found(admin, { scope: 'all' })).toEqual(ids(hers, his))
  await expectProblem(await list(frank, { scope: 'all' }), 'forbidden')
  await expectProblem(await ask('GET', '/api/youtube/stats?scope=all', frank), 'forbidden')

  expect(await read(admin, his.id)).toMatchObject({ userId: frank.userId, failure })
  const own = await read(frank, his.id)
  expect(own).not.toHaveProperty('userId')
  expect(own.failure).toEqual({ code: 'private', retryable: false })
  expect(await (await list(frank)).text()).not.toMatch(/userId|evidence/)
  await expectProblem(await ask('GET', `/api/youtube/downloads/${his.id}`, fatima), 'not-found')
})

test('what is not over is listed with what the queue knows of it', async () => {
  const { id } = await request(frank)
  const { data } = await expectData(await list(frank, { status: 'queued' }), 200, DownloadsBody)
  expect(data).toMatchObject([{ id, waitingFor: 'downloader' }])
})

test('figures are of all time, by day of the last days, and nobody else’s', async () => {
  const today = new Date().toISOString().slice(0, 10)
  const at = (time: string) => `${today}T${time}.000Z`
  const ended = (seconds: number) => ({
    createdAt: '2026-01-01T10:00:00.000Z',
    startedAt: '2026-01-01T10:00:05.000Z',
    endedAt: new Date(Date.parse('2026-01-01T10:00:00.000Z') + seconds * 1000).toISOString(),
  })
  const first = await storeFile(frank, { bytes: 100, quality: '720p', ...ended(10) })
  await storeFile(frank, { bytes: 200, ...ended(20.5), removedAt: at('00:00:00') })
  await storeFile(frank, {
    bytes: 400,
    createdAt: at('00:00:00'),
    startedAt: at('00:00:01'),
    endedAt: at('00:01:00'),
  })
  await storeShared(frank, first, { createdAt: at('00:00:00'), endedAt: at('00:00:00') })
  await store(frank, {
    status: 'failed',
    createdAt: at('00:00:00'),
    endedAt: at('00:00:01'),
    failure: { code: 'private', retryable: false },
  })
  await store(frank, { status: 'queued', createdAt: at('00:00:00') })
  await storeFile(fatima, { bytes: 9_000 })

  const mine = await stats(frank, { days: '2' })
  const { byDay, ...rest } = mine
  expect(rest).toEqual({
    scope: 'own',
    days: 2,
    total: 6,
    byStatus: { queued: 1, running: 0, retrying: 0, scanning: 0, completed: 4, failed: 1, cancelled: 0 },
    bytes: 700,
    libraryBytes: 500,
    successRate: 0.8,
    // Of 10, 20.5 and 60 seconds; what shares a file took none.
    medianSeconds: expect.closeTo(20.5, 3),
    byQuality: [
      { quality: '1080p', count: 3, bytes: 600 },
      { quality: '720p', count: 1, bytes: 100 },
    ],
    failures: [{ code: 'private', count: 1 }],
  } satisfies Omit<z.output<typeof StatsBody>['data'], 'byDay'>)
  expect(byDay).toHaveLength(2)
  expect(byDay[1]).toEqual({ day: today, accepted: 4, completed: 2, failed: 1, bytes: 400 })
  expect(byDay[0]).toMatchObject({ accepted: 0, completed: 0, failed: 0, bytes: 0 })
  expect((await stats(frank)).byDay).toHaveLength(30)

  expect(await stats(admin)).toMatchObject({ total: 0, bytes: 0 })
  expect(await stats(admin, { scope: 'all' })).toMatchObject({ total: 7, bytes: 9_700 })
  await storeFile(frank, { bytes: 1, ...ended(30) })
  expect((await stats(frank)).medianSeconds).toBeCloseTo(25.25, 3)
  // Who inherits a file took no longer for it than before.
  expect((await ask('DELETE', `/api/youtube/downloads/${first.id}`, frank)).status).toBe(200)
  expect(await stats(frank)).toMatchObject({ total: 6, bytes: 701, medianSeconds: expect.closeTo(30, 3) })
  for (const days of ['0', '91', '1.5']) {
    await expectProblem(await ask('GET', `/api/youtube/stats?days=${days}`, frank), 'invalid-request')
  }
})

test('one’s own figures read nobody else’s rows', async () => {
  for (let count = 0; count < 3; count += 1) await store(frank)
  const others = Array.from({ length: 20 }, () => store(fatima))
  await Promise.all(others)
  let rowsRead = 0
  const batch = env.DB.batch.bind(env.DB)
  const database: D1Database = Object.getPrototypeOf(env.DB)
  vi.spyOn(database, 'batch').mockImplementation(async (statements) => {
    const results = await batch<never>(statements)
    for (const { meta } of results) rowsRead += meta.rows_read
    return results
  })
  await stats(frank)
  const mine = rowsRead
  rowsRead = 0
  await stats(admin, { scope: 'all' })
  expect(mine).toBeGreaterThan(0)
  expect(mine * 4).toBeLessThan(rowsRead)
})
