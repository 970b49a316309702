import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'
import type * as z from 'zod'
import {
  FromDownloader,
  parseFrame,
  pingFrame,
  pongFrame,
  type Job,
  type ToDownloader,
} from '#contract/downloader-link.ts'

type Said<T extends FromDownloader['type']> = Extract<FromDownloader, { type: T }>

export type ScriptedWorker = {
  readonly url: string
  readonly token: string
  /** All that was said, oldest first, over all connections. */
  readonly heard: readonly FromDownloader[]
  readonly unreadable: readonly string[]
  readonly connections: () => number
  /** How the next greetings are answered; undefined is silence. */
  greet: ((hello: Said<'hello'>) => readonly string[] | undefined) | undefined
  acknowledges: boolean
  pongs: boolean
  readonly say: (message: z.input<typeof ToDownloader>) => void
  /** The first frame of a kind that fits, said already or yet to come. */
  readonly hear: <T extends FromDownloader['type']>(
    type: T,
    fits?: (said: Said<T>) => boolean,
    timeoutMs?: number,
  ) => Promise<Said<T>>
  readonly disconnect: () => void
  /** Closes the connection and says why. */
  readonly dismiss: (code: number) => void
  readonly close: () => Promise<void>
}

/** The Worker's end of the link, as obliging or as difficult as a test wants it. */
export async function startScriptedWorker(): Promise<ScriptedWorker> {
  const token = randomUUID()
  const heard: FromDownloader[] = []
  const unreadable: string[] = []
  const waiting = new Set<() => void>()
  let socket: WebSocket | undefined
  let connections = 0
  const sockets = new WebSocketServer({ noServer: true })
  const server = createServer(({ headers }, response) =>
    response.writeHead(headers.authorization === `Bearer ${token}` ? 426 : 401).end(),
  )
  server.on('upgrade', (request, raw, head) => {
    if (request.headers.authorization !== `Bearer ${token}`) {
      raw.end('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n')
      return
    }
    sockets.handleUpgrade(request, raw, head, (accepted) => {
      connections += 1
      socket = accepted
      accepted.on('message', (data) => listen(String(data), accepted))
    })
  })
  const say: ScriptedWorker['say'] = (message) => socket?.send(JSON.stringify(message))

  const listen = (text: string, from: WebSocket): void => {
    if (text === pingFrame) {
      if (worker.pongs) from.send(pongFrame)
      return
    }
    const message = parseFrame(FromDownloader, text)
    if (!message) {
      unreadable.push(text)
      return
    }
    heard.push(message)
    if (message.type === 'hello') {
      const drop = worker.greet?.(message)
      if (drop) say({ type: 'welcome', drop: [...drop] })
    }
    if (message.type === 'result' && worker.acknowledges)
      say({ type: 'acknowledged', jobId: message.jobId, lease: message.lease })
    for (const look of waiting) look()
  }

  const worker: ScriptedWorker = {
    url: '',
    token,
    heard,
    unreadable,
    connections: () => connections,
    greet: () => [],
    acknowledges: true,
    pongs: true,
    say,
    hear: async <T extends FromDownloader['type']>(
      type: T,
      fits: (said: Said<T>) => boolean = () => true,
      timeoutMs = 20_000,
    ): Promise<Said<T>> =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const found = heard.find(
            (message): message is Said<T> => message.type === type && fits(message as Said<T>),
          )
          if (!found) return
          clearTimeout(timer)
          waiting.delete(look)
          resolve(found)
        }
        const timer = setTimeout(() => {
          waiting.delete(look)
          reject(new Error(`nobody said ${type}; heard ${JSON.stringify(heard.slice(-5))}`))
        }, timeoutMs)
        waiting.add(look)
        look()
      }),
    disconnect: () => socket?.terminate(),
    dismiss: (code) => socket?.close(code),
    close: async () => {
      for (const client of sockets.clients) client.terminate()
      sockets.close()
      server.closeAllConnections()
      await new Promise((resolve) => {
        server.close(resolve)
      })
    },
  }
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  return Object.assign(worker, { url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}/link` })
}

export function jobFor(url: string, changes: Partial<Job> = {}): Job {
  return {
    jobId: randomUUID(),
    lease: 1,
    url,
    videoId: new URL(url).pathname.split('/').at(-1)?.replace(/\W/g, '-').slice(0, 64) || 'video',
    quality: '1080p',
    format: 'mp4',
    extras: { chapters: true, thumbnail: true },
    attempt: 1,
    ...changes,
  }
}
