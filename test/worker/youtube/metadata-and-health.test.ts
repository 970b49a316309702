import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { configOf } from '../../../src/config.ts'
import { MetadataBody, YoutubeHealthBody } from '../../../src/youtube/schema.ts'
import { ask, expectData, expectProblem } from '../support/client.ts'
import {
  clearQueue,
  connect,
  metadata,
  newFriend,
  newVideo,
  request,
  silencePlex,
  type Friend,
} from './support.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const ofVideo = ({ token }: Friend, url: string) =>
  ask('GET', `/api/youtube/metadata?url=${encodeURIComponent(url)}`, { token })

test('metadata needs a downloader, and an address we take', async () => {
  const frank = await newFriend()
  const refused = await ofVideo(frank, newVideo())
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  await expectProblem(refused, 'downloader-unavailable')
  await expectProblem(await ofVideo(frank, 'file:///etc/passwd'), 'unsupported-url')
  await expectProblem(await ask('GET', '/api/youtube/metadata', { token: frank.token }), 'invalid-request')
})

test('metadata is asked for once, and the same for everybody and every address', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  const downloader = await connect()
  const url = newVideo()
  const answer = ofVideo(frank, url)
  const { requestId, question } = await downloader.next('ask')
  expect(question).toMatchObject({
    kind: 'metadata',
    url: expect.stringMatching(/^https:\/\/www\.youtube\.com\/watch\?v=/),
  })
  downloader.say({ type: 'answer', requestId, answer: { kind: 'metadata', metadata } })
  const first = await answer
  expect(first.headers.get('x-cache')).toBe('MISS')
  expect(first.headers.get('x-ratelimit-limit')).toBe('100')
  expect(await expectData(first, 200, MetadataBody)).toEqual({
    data: metadata,
  })
  const again = await ofVideo(fatima, `${url}?t=3`)
  expect([again.status, again.headers.get('x-cache')]).toEqual([200, 'HIT'])
  await downloader.quiet()
})

test('a video that cannot be fetched says why, and is asked for anew', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const url = newVideo()
  for (const code of ['private', 'removed'] as const) {
    const answer = ofVideo(frank, url)
    const { requestId } = await downloader.next('ask')
    const failure = { code, retryable: false, advice: 'Ask its owner.' }
    downloader.say({ type: 'answer', requestId, answer: { kind: 'failed', failure } })
    expect(await expectProblem(await answer, 'video-unavailable')).toMatchObject({
      reason: code,
      retryable: false,
      advice: 'Ask its owner.',
    })
  }
})

test('a downloader that is asked too much says when to come again, and nothing of the video', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const answer = ofVideo(frank, newVideo())
  const { requestId, timeoutMs } = await downloader.next('ask')
  expect(timeoutMs).toBe(configOf(env).downloads.metadataTimeoutMs)
  downloader.say({ type: 'answer', requestId, answer: { kind: 'busy', waitMs: 6_400 } })
  const refused = await answer
  expect(refused.headers.get('retry-after')).toBe('7')
  await expectProblem(refused, 'downloader-unavailable')
})

test('a downloader that does not answer is not waited for long, nor heard late', async () => {
  const frank = await newFriend()
  const downloader = await connect()
  const url = newVideo()
  const answer = ofVideo(frank, url)
  const { requestId } = await downloader.next('ask')
  await expectProblem(await answer, 'upstream-timeout')
  downloader.say({ type: 'answer', requestId, answer: { kind: 'metadata', metadata } })
  await downloader.quiet()
})

test('health says little to strangers, more to friends and all to admins', async () => {
  const health = async (token?: string) =>
    (await expectData(await ask('GET', '/api/youtube/health', { token }), 200, YoutubeHealthBody)).data
  expect(await health()).toEqual({
    status: 'degraded',
    service: 'YouTube downloads',
    ytDlpAvailable: false,
    downloadersConnected: 0,
  })
  const versions = {
    downloader: '1.0.0',
    node: '24.0.0',
    ytDlp: '2026.10.26',
    ytDlpAgeDays: 33,
    ffmpeg: '7.1',
    jsRuntime: 'node-24.0.0',
    challengeSolver: '0.8.0',
  }
  await connect({ slots: 2, versions })
  const frank = await newFriend()
  await request(frank)
  expect(await health()).toEqual({
    status: 'healthy',
    service: 'YouTube downloads',
    ytDlpAvailable: true,
    downloadersConnected: 1,
  })
  const open = { slots: 2, busy: 1, troubles: [], versions }
  expect(await health(frank.token)).toMatchObject({ queued: 0, downloaders: [open] })
  expect((await health(frank.token)).downloaders?.[0]).not.toHaveProperty('freeBytes')
  expect((await health(frank.token)).downloaders?.[0]).not.toHaveProperty('id')
  const admin = await newFriend('admin')
  expect(await health(admin.token)).toMatchObject({ downloaders: [{ ...open, id: 'nas', freeBytes: 1e12 }] })
})

test('health tells a downloader in trouble from one that cannot work', async () => {
  const status = async () =>
    (await expectData(await ask('GET', '/api/youtube/health'), 200, YoutubeHealthBody)).data
  const downloader = await connect()
  downloader.say({ type: 'state', state: { freeBytes: 5, troubles: ['low-space'] } })
  await downloader.quiet()
  expect(await status()).toMatchObject({ status: 'degraded', ytDlpAvailable: true })
  downloader.say({ type: 'state', state: { freeBytes: 5, troubles: ['ytdlp-missing'] } })
  await downloader.quiet()
  expect(await status()).toMatchObject({ status: 'unhealthy', ytDlpAvailable: false })
})

test('health says when a site refuses every downloader that can work, and why to admins', async () => {
  const admin = await newFriend('admin')
  const status = async (token?: string) =>
    (await expectData(await ask('GET', '/api/youtube/health', { token }), 200, YoutubeHealthBody)).data
  const refused = { site: 'youtube.com', reason: 'bot-check', waitMs: 60_000 } as const
  const state = { freeBytes: 1e12, troubles: [] }
  const nas = await connect({ state: { ...state, sites: [refused] } })
  expect(await status(admin.token)).toMatchObject({
    status: 'degraded',
    downloaders: [{ restingSites: [{ site: refused.site, reason: refused.reason }] }],
  })
  await connect({ downloaderId: 'vps', state: { ...state, sites: [{ ...refused, reason: 'pace' }] } })
  expect(await status()).toMatchObject({ status: 'healthy' })
  nas.say({ type: 'state', state })
  await nas.quiet()
  expect(await status()).toMatchObject({ status: 'healthy' })
})
