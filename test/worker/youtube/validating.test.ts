import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { VideoMetadata } from '#contract/downloads.ts'
import type { Failure } from '#contract/failures.ts'

import { ValidationBody } from '../../../src/youtube/asking-schema.ts'
import { askUnder } from '../support/app.ts'
import { expectData, expectProblem } from '../support/client.ts'
import { member } from '../support/sessions.ts'
import { clearFaults, fault } from '../support/world.ts'
import {
  answered,
  ask,
  friendOf,
  newItem,
  nextQuestion,
  place,
  post,
  roomy,
  tells,
} from './asking-support.ts'
import {
  clearQueue,
  connect,
  metadata,
  newFriend,
  newVideo,
  silencePlex,
  type Downloader,
  type Friend,
} from './support.ts'

const [olivia, frank, fatima] = [await member('olivia'), await member('frank'), await member('fatima')]

beforeEach(silencePlex)
afterEach(async () => {
  await clearFaults()
  await clearQueue()
  vi.restoreAllMocks()
})

const preview = ({ token }: Friend, json: object, through = ask) =>
  through('POST', '/api/youtube/validate', { token, json })
const verdict = async (response: Promise<Response> | Response) =>
  (await expectData(await response, 200, ValidationBody)).data

const offers: NonNullable<VideoMetadata['offers']> = [
  { heightPixels: 1080, videoCodec: 'vp9', bytes: 900 },
  { heightPixels: 1080, videoCodec: 'avc1.640028', bytes: 1_000 },
  { heightPixels: 720, videoCodec: 'avc1.4d401f', bytes: 500 },
  { audioCodec: 'mp4a.40.2', bytes: 50 },
]

async function describes(downloader: Downloader, changes: Partial<VideoMetadata> = {}) {
  const { requestId } = await nextQuestion(downloader)
  const described = { ...metadata, offers, ...changes }
  downloader.say({ type: 'answer', requestId, answer: { kind: 'metadata', metadata: described } })
}

/** Asks what would become of it, while the downloader tells of the video. */
async function validate(
  friend: Friend,
  json: object,
  changes?: Partial<VideoMetadata>,
  through = ask,
  known?: Downloader,
) {
  const downloader = known ?? (await connect())
  const answer = preview(friend, json, through)
  await describes(downloader, changes)
  return verdict(answer)
}

test('what would be taken is said with its reason, and nothing is begun', async () => {
  const friend = await newFriend()
  const url = newVideo()
  const told = await validate(friend, { url: `${url}?list=PL0123456789` })
  expect(told).toMatchObject({
    kind: 'video',
    video: { id: metadata.id, title: metadata.title, durationSeconds: 61 },
    playlist: { id: 'PL0123456789' },
    options: { quality: '1080p', format: 'mp4', extras: { chapters: true } },
    selection: { reason: 'exact', taken: { videoCodec: 'avc1.640028' }, directPlay: true },
    estimatedBytes: 1_000,
    canDownload: true,
  })
  expect(told).not.toHaveProperty('problem')
  // From the same answer of the downloader's, whatever is wished for.
  expect(await verdict(preview(friend, { url, quality: '480p' }))).toMatchObject({
    selection: { reason: 'nearest', taken: { heightPixels: 720 } },
  })
  const counted = await ask('GET', `/api/youtube/metadata?url=${url}`, { token: friend.token })
  expect(counted.headers.get('x-cache')).toBe('HIT')
  const { data } = await (
    await ask('GET', '/api/youtube/downloads', { token: friend.token })
  ).json<{ data: unknown[] }>()
  expect(data).toEqual([])
})

test('a broadcast is named as what it is', async () => {
  const friend = await newFriend()
  const startsAt = '2027-01-01T20:00:00.000Z'
  const upcoming: Partial<VideoMetadata> = { live: 'upcoming', startsAt, availableHeights: [], offers: [] }
  const told = await validate(friend, { url: newVideo() }, upcoming)
  expect(told).toMatchObject({ kind: 'upcoming', video: { startsAt } })
  expect(told).not.toHaveProperty('selection')
  expect(await validate(friend, { url: newVideo() }, { live: 'live' })).toMatchObject({ kind: 'live' })
})

test('a playlist is told by name and size', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const url = 'https://music.youtube.com/playlist?list=OLAK5uy_abcdefghijklmnopqrstuvwxyz0123456'
  const answer = preview(friend, { url })
  await tells(downloader, { id: 'x', title: 'Cats', totalVideos: 80, videos: [] })
  const told = await verdict(answer)
  expect(told).toMatchObject({ kind: 'playlist', playlist: { title: 'Cats', totalVideos: 80 } })
  expect(told.canDownload).toBe(true)
  expect(await verdict(preview(friend, { url }))).toEqual(told)
  await downloader.quiet()
})

test('what could not be had says why: the video, an active download, the allowance', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const answer = preview(friend, { url: newVideo() })
  const { requestId } = await nextQuestion(downloader)
  const failure: Failure = {
    code: 'private',
    retryable: false,
    advice: 'Ask its owner.',
    evidence: ['a secret'],
  }
  downloader.say({ type: 'answer', requestId, answer: { kind: 'failed', failure } })
  const told = await verdict(answer)
  expect(told).toMatchObject({
    kind: 'video',
    canDownload: false,
    problem: 'video-unavailable',
    reason: 'private',
    advice: 'Ask its owner.',
  })
  expect(JSON.stringify(told)).not.toContain('secret')

  const few = askUnder({ ...roomy, DOWNLOADS_PER_HOUR: '1' })
  const { id, url } = await answered(post(friend, { url: newVideo() }, undefined, few))
  expect(await validate(friend, { url }, {}, few, downloader)).toMatchObject({
    canDownload: false,
    problem: 'duplicate-download',
    duplicate: { downloadId: id },
    selection: { reason: 'exact' },
  })
  expect(await validate(friend, { url: newVideo() }, {}, few, downloader)).toMatchObject({
    canDownload: false,
    problem: 'rate-limited',
    retryAt: expect.any(String),
  })
})

test('what passes is no reason not to ask, and is told; the allowance decides', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const few = askUnder({ ...roomy, DOWNLOADS_PER_HOUR: '1' })
  const retryAt = '2027-01-01T20:00:00.000Z'
  const failure: Failure = { code: 'bot-check', retryable: true, advice: 'Wait.', retryAt }
  const troubled = async () => {
    const answer = preview(friend, { url: newVideo() }, few)
    const { requestId } = await nextQuestion(downloader)
    downloader.say({ type: 'answer', requestId, answer: { kind: 'failed', failure } })
    return verdict(answer)
  }
  const told = await troubled()
  expect(told).toMatchObject({ canDownload: true, reason: 'bot-check', advice: 'Wait.', retryAt })
  expect(told).not.toHaveProperty('problem')
  await answered(post(friend, { url: newVideo() }, undefined, few))
  const refused = await troubled()
  expect(refused).toMatchObject({ canDownload: false, problem: 'rate-limited' })
  expect(refused).not.toHaveProperty('reason')
})

test('an embedded player of a playlist is a playlist, and one of a broadcast to come is nothing', async () => {
  const friend = await newFriend()
  const downloader = await connect()
  const answer = preview(friend, { url: 'https://www.youtube.com/embed/videoseries?list=PL0123456789' })
  await tells(downloader, { id: 'PL0123456789', title: 'Cats', totalVideos: 80, videos: [] })
  expect(await verdict(answer)).toMatchObject({ kind: 'playlist', playlist: { title: 'Cats' } })
  const live = 'https://www.youtube.com/embed/live_stream?channel=UC0123456789'
  await expectProblem(await preview(friend, { url: live }), 'unsupported-url')
})

test('what is in the library is told to whoever sees it there, and is to be had without an allowance', async () => {
  const [owner, other, stranger] = [await friendOf(frank), await friendOf(olivia), await friendOf(fatima)]
  const json = { url: newVideo() }
  const ratingKey = await newItem()
  const { id, downloader } = await place(owner, json, ratingKey)
  await env.DB.prepare('update downloads set bytes = 1000 where id = ?').bind(id).run()
  const full = askUnder({ ...roomy, TOTAL_QUOTA_BYTES: '1' })
  const item = { ratingKey, url: expect.stringContaining(ratingKey) }
  const options = { quality: '1080p', format: 'mp4', extras: { chapters: true, thumbnail: true } }
  const mine = await validate(owner, json, {}, full, downloader)
  expect(mine).toMatchObject({ canDownload: true, inLibrary: [{ ...item, options, downloadId: id }] })
  // An admin may know whose it is.
  expect(await verdict(preview(other, json, full))).toMatchObject({ inLibrary: [{ downloadId: id }] })
  expect(await verdict(preview(other, { ...json, quality: '720p' }, full))).toMatchObject({
    canDownload: false,
    problem: 'storage-quota-exceeded',
    inLibrary: [{ options }],
  })
  const unseen = await verdict(preview(stranger, json, full))
  expect(unseen).toMatchObject({ canDownload: false, problem: 'storage-quota-exceeded' })
  expect(unseen).not.toHaveProperty('inLibrary')
  await fault('plexUrl', { kind: 'status', status: 404, path: '/library/metadata/*' })
  expect(await verdict(preview(owner, json))).not.toHaveProperty('inLibrary')
})

test('to other friends a shared form is nameless', async () => {
  const [owner, other] = [await friendOf(olivia), await friendOf(frank)]
  const json = { url: newVideo() }
  const { downloader } = await place(owner, json, await newItem())
  const { inLibrary } = await validate(other, json, {}, ask, downloader)
  expect(inLibrary).toHaveLength(1)
  expect(inLibrary?.[0]).not.toHaveProperty('downloadId')
  const { id } = await answered(post(other, json))
  expect((await verdict(preview(other, json))).inLibrary).toEqual([{ ...inLibrary?.[0], downloadId: id }])
})

test('metadata that an older version has kept is asked for anew where it does not do', async () => {
  const friend = await newFriend()
  const url = newVideo()
  const downloader = await connect()
  await validate(friend, { url }, {}, ask, downloader)
  const { keys } = await env.CACHE.list({ prefix: 'answer:' })
  const key = keys.find(({ name }) => name.endsWith(`:metadata:${new URL(url).pathname.slice(1)}`))
  if (!key) throw new Error('nothing was kept')
  const { offers: _offers, ...old } = { ...metadata, title: 'Of long ago' }
  await env.CACHE.put(key.name, JSON.stringify({ data: old }), { metadata: key.metadata })
  expect(await verdict(preview(friend, { url }))).toMatchObject({
    video: { title: 'Of long ago' },
    selection: { taken: { heightPixels: 1080 } },
  })
  await env.CACHE.put(key.name, JSON.stringify({ data: { name: 'odd' } }), { metadata: key.metadata })
  expect(await validate(friend, { url }, {}, ask, downloader)).toMatchObject({
    video: { title: metadata.title },
  })
})

test('without a downloader nothing can be told, and some addresses are none', async () => {
  const friend = await newFriend()
  await expectProblem(await preview(friend, { url: newVideo() }), 'downloader-unavailable')
  for (const url of ['https://evil.example/?youtube.com', '--exec=id', 'https://www.youtube.com/@cats']) {
    await expectProblem(await preview(friend, { url }), 'unsupported-url')
  }
  await expectProblem(await preview(friend, { url: newVideo(), exec: 'id' }), 'invalid-request')
  const few = askUnder({ ...roomy, METADATA_PER_HOUR: '1' })
  const stranger = await newFriend()
  await preview(stranger, { url: newVideo() }, few)
  await expectProblem(await preview(stranger, { url: newVideo() }, few), 'rate-limited')
})
