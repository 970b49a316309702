import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { vi } from 'vitest'
import * as z from 'zod'

import type { Download } from '#contract/downloads.ts'
import { LiveFrame, type LiveEvent } from '#contract/live.ts'

import type { DownloadQueue } from '../../../src/durable/download-queue.ts'
import { entryHeader, type Entry } from '../../../src/live/listener.ts'

export const newRoom = () => env.LIVE_ROOM.getByName(crypto.randomUUID())
export type Room = ReturnType<typeof newRoom>

export const newUser = () => crypto.randomUUID()

/** What a client sees of a connection: text frames and its end, in order, each waited for at most once. */
export type Client = {
  readonly socket: WebSocket
  readonly frame: () => Promise<LiveFrame>
  readonly text: () => Promise<string>
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>
  /** What arrived and was not asked for yet. */
  readonly waiting: () => readonly string[]
}

export function clientOf(response: Response): Client {
  const socket = response.webSocket
  if (!socket) throw new Error(`No socket came with the ${response.status}`)
  const arrived: string[] = []
  const takers: ((text: string) => void)[] = []
  socket.addEventListener('message', ({ data }) => {
    const text = z.string().parse(data)
    const taker = takers.shift()
    if (taker) taker(text)
    else arrived.push(text)
  })
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason }))
  })
  socket.accept()
  const text = async () => arrived.shift() ?? new Promise<string>((resolve) => takers.push(resolve))
  return {
    socket,
    text,
    frame: async () => LiveFrame.parse(JSON.parse(await text())),
    closed,
    waiting: () => arrived,
  }
}

export async function listen(room: Room, entry: Partial<Entry> = {}): Promise<Client> {
  return clientOf(await knock(room, entry))
}

export function knock(room: Room, entry: Partial<Entry> = {}): Promise<Response> {
  const whole: Entry = {
    userId: newUser(),
    sessionId: crypto.randomUUID(),
    role: 'user',
    libraries: [],
    topics: [],
    admittedAt: Date.now(),
    ...entry,
  }
  const headers = { Upgrade: 'websocket', [entryHeader]: encodeURIComponent(JSON.stringify(whole)) }
  return room.fetch('https://live-room/', { headers })
}

/** Decides what the queue answers when a room asks for a user's active downloads. */
export async function whenAskedForDownloads(
  answer: (userId: string) => Promise<Download[]>,
): Promise<{ readonly restore: () => void }> {
  const spied = await runInDurableObject(env.DOWNLOAD_QUEUE.getByName('main'), (queue) => {
    const prototype: DownloadQueue = Object.getPrototypeOf(queue)
    return vi.spyOn(prototype, 'active').mockImplementation(answer)
  })
  return { restore: () => spied.mockRestore() }
}

export const aDownload = (title: string): Download => ({
  id: crypto.randomUUID(),
  url: 'https://www.youtube.com/watch?v=aaaaaaaaaaa',
  videoId: 'aaaaaaaaaaa',
  title,
  quality: '1080p',
  format: 'mp4',
  extras: { chapters: true, thumbnail: true },
  status: 'running',
  attempt: 1,
  progress: 12,
  createdAt: '2026-10-01T12:00:00.000Z',
})

export const cancelled = (): LiveEvent => ({
  event: 'youtube:cancelled',
  data: { downloadId: crypto.randomUUID() },
})

export const progressed = (progress: number, downloadId: string = crypto.randomUUID()): LiveEvent => ({
  event: 'youtube:progress',
  data: { downloadId, progress, phase: 'downloading' },
})

export const available = (libraryKey: string): LiveEvent => ({
  event: 'media:available',
  data: { title: 'A film', type: 'movie', libraryKey },
})
