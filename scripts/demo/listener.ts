import * as z from 'zod'

import type { Client, Person } from './client.ts'
import { expectStatus } from './client.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a stranger's client does not know our types
const Frame = z.object({ seq: z.number(), at: z.string(), event: z.string(), data: z.any() })
export type Frame = z.output<typeof Frame>

export type Listener = {
  readonly frames: readonly Frame[]
  /** The first frame that fits, already there or still to come. */
  readonly until: (what: string, fits: (frame: Frame) => boolean, patienceMs?: number) => Promise<Frame>
  readonly close: () => void
}

/** Listens at `/api/live` as a browser would: with a ticket, since it can send no header. */
export async function listen(client: Client, liveUrl: string, person: Person): Promise<Listener> {
  const { body } = expectStatus(await client.post('/api/live/ticket', {}, person), 201)
  const socket = new WebSocket(`${liveUrl}?ticket=${encodeURIComponent(body.data.ticket)}`)
  const frames: Frame[] = []
  const waiting = new Set<() => void>()
  socket.addEventListener('message', ({ data }) => {
    frames.push(Frame.parse(JSON.parse(String(data))))
    for (const look of waiting) look()
  })

  const until: Listener['until'] = (what, fits, patienceMs = 60_000) =>
    new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        waiting.delete(look)
        const heard = frames.map(({ event }) => event).join(', ')
        reject(new Error(`waited ${patienceMs / 1000} s for ${what}; heard ${heard || 'nothing'}`))
      }, patienceMs)
      const look = (): void => {
        const found = frames.find(fits)
        if (!found) return
        clearTimeout(late)
        waiting.delete(look)
        resolve(found)
      }
      waiting.add(look)
      look()
    })

  await until('the greeting', ({ event }) => event === 'hello', 10_000)
  return { frames, until, close: () => socket.close() }
}
