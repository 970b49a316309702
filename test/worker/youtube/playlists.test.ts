import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import * as z from 'zod'

import { buildServices } from '../../../src/services.ts'
import { PlaylistBody } from '../../../src/youtube/asking-schema.ts'
import { ask as askWorker, expectData, expectProblem } from '../support/client.ts'
import { member } from '../support/sessions.ts'
import { clearFaults, control, fault } from '../support/world.ts'
import { answered, ask, friendOf, idsOf, newItem, place, post as postVideo, tells } from './asking-support.ts'
import {
  clearQueue,
  connect,
  newFriend,
  newVideo,
  read,
  request,
  silencePlex,
  type Downloader,
  type Friend,
} from './support.ts'

const [olivia, frank] = [await member('olivia'), await member('frank')]

beforeEach(silencePlex)
afterEach(async () => {
  await clearFaults()
  await clearQueue()
  vi.restoreAllMocks()
})

const url = 'https://www.youtube.com/playlist?list=PL0123456789'

const post = ({ token }: Friend, json: object = {}, key?: string) =>
  ask('POST', '/api/youtube/playlist', {
    token,
    json: { url, ...json },
    ...(key !== undefined && { headers: { 'Idempotency-Key': key } }),
  })

const postOne = (friend: Friend, each: string, key: string) => postVideo(friend, { url: each }, key)

const list = (urls: readonly string[]) => ({
  id: 'PL0123456789',
  title: 'Cats',
  totalVideos: 80,
  videos: urls.map((each, index) => ({ url: each, title: `Cat ${index}` })),
})

async function take(
  friend: Friend,
  downloader: Downloader,
  urls: readonly string[],
  json: object = {},
  key?: string,
) {
  const answer = post(friend, json, key)
  await tells(downloader, list(urls))
  return (await expectData(await answer, 200, PlaylistBody)).data
}

const outcomes = ({ results }: { results: readonly { outcome: string }[] }) =>
  results.map(({ outcome }) => outcome)

test('each video of a playlist has a result of its own, in order, and none hurts another', async () => {
  const friend = await friendOf(frank)
  await expectProblem(await post(friend), 'downloader-unavailable')
  const placed = newVideo()
  const { id: mine, downloader } = await place(friend, { url: placed }, await newItem())
  const active = await request(await newFriend(), {})
  const [first, last] = [newVideo(), newVideo()]
  const urls = [first, 'file:///etc/passwd', placed, 'https://evil.example/x', first, active.url, last]
  const { results, ...rest } = await take(friend, downloader, [...urls, newVideo()], { limit: 7 })
  expect(rest).toEqual({ playlistId: 'PL0123456789', title: 'Cats', totalVideos: 80 })
  expect(results.map(({ outcome, problem, title }) => [title, outcome, problem])).toEqual([
    ['Cat 0', 'accepted', undefined],
    ['Cat 1', 'refused', 'unsupported-url'],
    ['Cat 2', 'shared', undefined],
    ['Cat 3', 'refused', 'unsupported-url'],
    ['Cat 5', 'accepted', undefined],
    ['Cat 6', 'accepted', undefined],
  ])
  expect(results[2]).toMatchObject({ downloadId: mine })
  expect(await read(friend, results[0]?.downloadId ?? '')).toMatchObject({ playlistId: 'PL0123456789' })
  expect((await idsOf(friend.userId)).toSorted()).toEqual(
    results.flatMap(({ downloadId }) => downloadId ?? []).toSorted(),
  )
  const again = await take(friend, downloader, [first, last])
  expect(outcomes(again)).toEqual(['duplicate', 'duplicate'])
  expect(again.results[0]?.downloadId).toBe(results[0]?.downloadId)
})

test('what is too much for the allowance is named, with when to come back, and the same request goes on then', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const urls = Array.from({ length: 7 }, newVideo)
  const send = async () => {
    const answer = askWorker('POST', '/api/youtube/playlist', {
      token: friend.token,
      json: { url },
      headers: { 'Idempotency-Key': 'list' },
    })
    await tells(downloader, list(urls))
    return (await expectData(await answer, 200, PlaylistBody)).data
  }
  const told = await send()
  expect(outcomes(told)).toEqual([...Array.from({ length: 5 }, () => 'accepted'), 'over-quota', 'over-quota'])
  const { problem, retryAt = '' } = told.results[6] ?? {}
  expect(problem).toBe('rate-limited')
  expect(Date.parse(retryAt)).toBeGreaterThan(Date.now() + 3_000_000)
  const accepted = told.results.slice(0, 5)
  expect((await send()).results.slice(0, 5)).toEqual(accepted)
  expect(await idsOf(friend.userId)).toHaveLength(5)
})

test('a playlist that is asked for twice at once, or with its key again, is the same downloads', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const urls = Array.from({ length: 4 }, newVideo)
  const answers = [post(friend, {}, 'key'), post(friend, {}, 'key')]
  for (const _ of answers) await tells(downloader, list(urls))
  const [one, other] = await Promise.all(
    answers.map(async (answer) => (await expectData(await answer, 200, PlaylistBody)).data),
  )
  expect(one).toEqual(other)
  expect(await take(friend, downloader, urls, {}, 'key')).toEqual(one)
  expect(await idsOf(friend.userId)).toHaveLength(4)
  // It has grown at its head, and its end is beyond what is asked for.
  const grown = await take(friend, downloader, [newVideo(), ...urls.slice(0, 3)], { limit: 4 }, 'key')
  expect(grown.results.slice(1)).toEqual(
    one?.results.slice(0, 3).map((result, index) => ({
      ...result,
      title: `Cat ${index + 1}`,
    })),
  )
  expect(await idsOf(friend.userId)).toHaveLength(5)
})

test('a key of a playlist stands for that playlist in that form, and for nothing else', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const video = newVideo()
  await take(friend, downloader, [video], {}, 'list')
  const { id } = await answered(postOne(friend, newVideo(), 'single'))
  await expectProblem(await postOne(friend, video, 'list'), 'idempotency-key-reused')
  for (const [told, json, key] of [
    [list([video]), { quality: '480p' }, 'list'],
    [list([newVideo()]), { quality: '480p' }, 'list'],
    [{ ...list([newVideo()]), id: 'PL9876543210' }, {}, 'list'],
    [{ ...list([video]), id: 'PL9876543210' }, {}, 'list'],
    [list([newVideo()]), {}, 'single'],
  ] as const) {
    const reused = post(friend, json, key)
    await tells(downloader, told)
    await expectProblem(await reused, 'idempotency-key-reused')
  }
  expect(await idsOf(friend.userId)).toEqual(expect.arrayContaining([id]))
  expect(await idsOf(friend.userId)).toHaveLength(2)
})

test('what stands for a video that is gone is refused and costs nothing, unless it is in the library', async () => {
  const friend = await friendOf(frank)
  const placed = newVideo()
  const { id, downloader } = await place(friend, { url: placed }, await newItem())
  const answer = post(friend)
  const gone = (title: string, unavailable: 'private' | 'removed', each = newVideo()) => ({
    url: each,
    title,
    unavailable,
  })
  const videos = [
    gone('[Private video]', 'private'),
    gone('[Deleted video]', 'removed'),
    gone('[Deleted video]', 'removed', placed),
    { url: newVideo(), title: 'A cat' },
  ]
  await tells(downloader, { ...list([]), videos })
  const { results } = (await expectData(await answer, 200, PlaylistBody)).data
  expect(results).toMatchObject([
    { outcome: 'refused', problem: 'video-unavailable', reason: 'private', advice: expect.any(String) },
    { outcome: 'refused', problem: 'video-unavailable', reason: 'removed' },
    { outcome: 'shared', downloadId: id },
    { outcome: 'accepted' },
  ])
  expect(await idsOf(friend.userId)).toHaveLength(2)
})

test('a playlist that cannot be read says why, without what the tools said', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const answer = post(friend)
  const { requestId, question } = await downloader.next('ask')
  expect(question).toEqual({ kind: 'playlist', url, limit: 50 })
  const retryAt = '2026-12-01T00:00:00.000Z'
  const failure = { code: 'bot-check', retryable: true, advice: 'Wait.', retryAt } as const
  downloader.say({
    type: 'answer',
    requestId,
    answer: { kind: 'failed', failure: { ...failure, evidence: ['ERROR: sign in'] } },
  })
  const problem = await expectProblem(await answer, 'video-unavailable')
  expect(problem).toMatchObject({ reason: 'bot-check', retryable: true, advice: 'Wait.', retryAt })
  expect(JSON.stringify(problem)).not.toContain('sign in')
  for (const wrong of [{ limit: 51 }, { limit: 0 }, { collection: ' ' }, { url: '' }]) {
    await expectProblem(await post(friend, wrong), 'invalid-request')
  }
  for (const address of [newVideo(), 'https://evil.example/playlist?list=PL0123456789', '--exec']) {
    await expectProblem(await post(friend, { url: address }), 'unsupported-url')
  }
  await downloader.quiet()
})

test('a collection is for admins to ask for, before anybody is asked', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  await expectProblem(await post(friend, { collection: 'Cats' }), 'forbidden')
  await downloader.quiet()
})

const Held = z.object({
  collections: z.array(z.object({ title: z.string(), itemKeys: z.array(z.string()) })),
})
const collectionsOf = async (title: string) =>
  Held.parse(await control('plexUrl', 'state', undefined, 'GET')).collections.filter(
    (collection) => collection.title === title,
  )

const collect = () => buildServices(env).collecting.round()
const waiting = async () =>
  (
    await env.DB.prepare(
      'select id from downloads where collection is not null and collected_at is null',
    ).all()
  ).results.length

test('the videos of a playlist join their collection once Plex shows them, be it later', async () => {
  const admin = await friendOf(olivia)
  const collection = `Cats ${crypto.randomUUID()}`
  const placed = newVideo()
  const [shared, fetched] = [await newItem(), await newItem()]
  const { id: origin, downloader } = await place(await friendOf(frank), { url: placed }, shared)
  const told = await take(admin, downloader, [placed, newVideo(), newVideo()], { collection }, 'key')
  expect(outcomes(told)).toEqual(['shared', 'accepted', 'accepted'])
  expect(await take(admin, downloader, [placed, newVideo()], { collection })).toMatchObject({
    results: [{ downloadId: told.results[0]?.downloadId }, {}],
  })
  expect(await read(admin, told.results[1]?.downloadId ?? '')).toMatchObject({ collection })
  await take(admin, downloader, [placed], { collection: `More of ${collection}` })
  const sharers = env.DB.prepare('select shared_from from downloads where shared_from is not null')
  expect((await sharers.all()).results).toEqual([{ shared_from: origin }, { shared_from: origin }])
  await env.DB.prepare("delete from downloads where collection like 'More of %'").run()

  await fault('plexUrl', { kind: 'status', status: 500, path: '/library/collections*' })
  await collect()
  expect([await collectionsOf(collection), await waiting()]).toEqual([[], 4])
  await clearFaults()
  await collect()
  expect(await collectionsOf(collection)).toEqual([{ title: collection, itemKeys: [shared] }])
  expect(await waiting()).toBe(3)

  const id = told.results[1]?.downloadId ?? ''
  const done = env.DB.prepare(
    "update downloads set status = 'completed', rating_key = ?, ended_at = ? where id = ?",
  )
  await done.bind(fetched, new Date().toISOString(), id).run()
  // What Plex does not show is in nobody's way, and is not tried for ever.
  await done.bind('99999999', new Date().toISOString(), told.results[2]?.downloadId ?? '').run()
  await Promise.all([collect(), collect()])
  expect(await collectionsOf(collection)).toEqual([{ title: collection, itemKeys: [shared, fetched] }])
  expect(await waiting()).toBe(2)
})
