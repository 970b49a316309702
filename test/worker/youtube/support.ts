import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, vi } from 'vitest'
import * as z from 'zod'

import { linkProtocol, ToDownloader, type FromDownloader, type Outcome } from '#contract/downloader-link.ts'
import { Download, type Progress, type VideoMetadata } from '#contract/downloads.ts'
import { type Failure } from '#contract/failures.ts'
import { LiveFrame } from '#contract/live.ts'

import { configOf } from '../../../src/config.ts'
import type { Held, Job } from '../../../src/youtube/job.ts'
import { createAccessTokens } from '../../../src/platform/access-tokens.ts'
import type { PlexServer } from '../../../src/durable/plex-server.ts'
import { ask, expectData } from '../support/client.ts'
import { world } from '../support/world.ts'

export const queue = () => env.DOWNLOAD_QUEUE.getByName('main')
const plexServer = () => env.PLEX_SERVER.getByName(world.machineIdentifier)

export type Friend = { readonly userId: string; readonly token: string }

/** A user nobody else is, with a session and a whole allowance. */
export async function newFriend(role: 'user' | 'admin' = 'user'): Promise<Friend> {
  const userId = `u${crypto.randomUUID()}`
  const sessionId = crypto.randomUUID()
  const now = Date.now()
  const session = { refreshHash: 'unused', createdAt: now, expiresAt: now + 3_600_000 }
  await env.USER_GATE.getByName(userId).open(sessionId, session, { role, confirmedAt: now }, 1)
  const accessTokens = createAccessTokens(configOf(env).accessTokenKeys, Date.now)
  const { token } = await accessTokens.issue({ userId, sessionId, role })
  return { userId, token }
}

/** A video nobody has asked for. */
export const newVideo = () => `https://youtu.be/${crypto.randomUUID().replaceAll('-', '').slice(0, 11)}`

export const DownloadBody = z.strictObject({ data: Download })

export async function request(friend: Friend, json: Record<string, unknown> = {}): Promise<Download> {
  const response = await ask('POST', '/api/youtube/download', {
    token: friend.token,
    json: { url: newVideo(), ...json },
  })
  return (await expectData(response, 201, DownloadBody)).data
}

export async function read({ token }: Friend, id: string): Promise<Download> {
  return (await expectData(await ask('GET', `/api/youtube/downloads/${id}`, { token }), 200, DownloadBody))
    .data
}

export const metadata: VideoMetadata = {
  id: 'dQw4w9WgXcQ',
  title: 'A film of a cat',
  channel: 'Cats',
  durationSeconds: 61,
  availableHeights: [720, 1080],
  availableQualities: ['720p', '1080p'],
}

export const completed: Extract<Outcome, { kind: 'completed' }> = {
  kind: 'completed',
  plexPath: '/media/youtube/Cats/Season 2026/Cats - s2026e100101 - A film [x].mp4',
  file: { name: 'Cats - s2026e100101 - A film [x].mp4', bytes: 1_000, sha256: 'a'.repeat(64) },
}

export const failed = (changes: Partial<Failure> = {}): Outcome => ({
  kind: 'failed',
  failure: { code: 'network', retryable: true, ...changes },
})

export const progress = (percent: number, phase: Progress['phase'] = 'downloading'): Progress => ({
  phase,
  percent,
})

const token = 'test-downloader-token-0123456789abcdef'
export const linkHeaders = { authorization: `Bearer ${token}`, upgrade: 'websocket' }

type Greeting = Partial<Extract<FromDownloader, { type: 'hello' }>>

export type Downloader = Awaited<ReturnType<typeof connect>>

/** A downloader that says and hears exactly what a test lets it. */
export async function connect(greeting: Greeting = {}) {
  const { socket, frames, closed } = await openLink()
  const say = (message: FromDownloader) => socket.send(JSON.stringify(message))
  say({
    type: 'hello',
    protocol: linkProtocol,
    downloaderId: 'nas',
    versions: { downloader: '1.0.0', node: '24.0.0', ytDlp: '2026.10.26', ffmpeg: '7.1' },
    slots: 1,
    state: { freeBytes: 1e12, troubles: [] },
    holding: [],
    ...greeting,
  })
  const next = async <T extends ToDownloaderType>(type: T): Promise<Message<T>> => {
    const message = ToDownloader.parse(JSON.parse(await frames.take()))
    expect(message.type).toBe(type)
    return message as Message<T>
  }
  const welcome = await next('welcome')
  const downloader = {
    socket,
    closed,
    welcome,
    metadata,
    say,
    next,
    raw: () => frames.take(),
    /** Everything said so far has been heard, and everything it led to was said: nothing is left. */
    async quiet(): Promise<void> {
      const stale = { jobId: crypto.randomUUID(), lease: 1 }
      say({ type: 'result', ...stale, outcome: { kind: 'returned' } })
      expect(await next('acknowledged')).toMatchObject(stale)
    },
    async offered(id?: string) {
      const { job } = await next('offer')
      if (id !== undefined) expect(job.jobId).toBe(id)
      return { ...job, leased: { jobId: job.jobId, lease: job.lease } }
    },
    /** Takes the offer, and says that it has begun. */
    async takes(id?: string) {
      const job = await downloader.offered(id)
      say({ type: 'accepted', ...job.leased })
      say({ type: 'started', ...job.leased, metadata })
      return job
    },
    async ends(leased: Held, outcome: Outcome): Promise<void> {
      say({ type: 'result', ...leased, outcome })
      expect(await next('acknowledged')).toMatchObject(leased)
    },
    /** Whatever else is said before. */
    async said<T extends ToDownloaderType>(type: T): Promise<Message<T>> {
      let message
      do message = ToDownloader.parse(JSON.parse(await frames.take()))
      while (message.type !== type)
      return message as Message<T>
    },
  }
  return downloader
}

type ToDownloaderType = ToDownloader['type']
type Message<T extends ToDownloaderType> = Extract<ToDownloader, { type: T }>

export async function openLink() {
  const response = await ask('GET', '/api/downloader/link', { headers: linkHeaders })
  const socket = response.webSocket
  if (!socket) throw new Error(`No socket came with the ${response.status}`)
  const frames = queueOf<string>()
  socket.addEventListener('message', ({ data }) => frames.put(z.string().parse(data)))
  const closed = new Promise<number>((resolve) => {
    socket.addEventListener('close', ({ code }) => resolve(code))
  })
  socket.accept()
  return { socket, frames, closed }
}

/** What the user hears on `/api/live`, without the hello. */
export async function listen({ token }: Friend) {
  const response = await ask('GET', '/api/live', { token, headers: { upgrade: 'websocket' } })
  const socket = response.webSocket
  if (!socket) throw new Error(`No socket came with the ${response.status}`)
  const heard: { readonly event: string; readonly data: Record<string, unknown> }[] = []
  const greeted = Promise.withResolvers<Record<string, unknown>>()
  const Data = z.record(z.string(), z.unknown())
  socket.addEventListener('message', ({ data }) => {
    const frame = LiveFrame.parse(JSON.parse(z.string().parse(data)))
    if (frame.event === 'hello') greeted.resolve(Data.parse(frame.data))
    else heard.push({ event: frame.event, data: Data.parse(frame.data) })
  })
  socket.accept()
  return {
    socket,
    hello: await greeted.promise,
    heard,
    names: () => heard.map(({ event }) => event),
    /** All that was heard once this many came. */
    async all(count: number) {
      await expect.poll(() => heard.length, { timeout: 5_000 }).toBeGreaterThanOrEqual(count)
      return heard
    },
  }
}

export const storedJobs = () =>
  runInDurableObject(queue(), (_, state) =>
    [...state.storage.kv.list<Job>({ prefix: 'job:' })].map(([, job]) => job),
  )

/** Plex takes every request for a scan, and says nothing of how it ended. */
export async function silencePlex() {
  const requests: unknown[] = []
  const spy = await runInDurableObject(plexServer(), (server) => {
    const prototype: PlexServer = Object.getPrototypeOf(server)
    return vi.spyOn(prototype, 'requestScan').mockImplementation(async (asked) => {
      requests.push(asked)
      return crypto.randomUUID()
    })
  })
  return { requests, spy }
}

/** Makes the queue forget all that it does not store. */
export async function evictQueue(): Promise<void> {
  // What is not running cannot be evicted.
  await queue().queued()
  await evictDurableObject(queue())
}

/** Leaves no job and no downloader to the next test. */
export async function clearQueue(): Promise<void> {
  // What waits for a site that a downloader leaves alone would keep a timer running, and with it the object.
  await runInDurableObject(queue(), (_, state) =>
    state.getWebSockets().forEach((socket) => socket.close(1001)),
  )
  await queue().round()
  await runInDurableObject(queue(), async (_, state) => {
    await state.storage.deleteAll()
    await state.storage.deleteAlarm()
  })
  await evictDurableObject(queue(), { webSockets: 'close' })
  await env.DB.prepare('delete from downloads').run()
}

function queueOf<T>() {
  const arrived: T[] = []
  const takers: ((value: T) => void)[] = []
  return {
    put(value: T): void {
      const taker = takers.shift()
      if (taker) taker(value)
      else arrived.push(value)
    },
    async take(): Promise<T> {
      const known = arrived.shift()
      if (known !== undefined) return known
      const late = scheduler.wait(5_000).then(() => {
        throw new Error('nothing came')
      })
      return Promise.race([new Promise<T>((resolve) => takers.push(resolve)), late])
    },
  }
}
