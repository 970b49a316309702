import { parseFrame, pingFrame, pingIntervalMs, pongFrame, ToDownloader } from '#contract/downloader-link.ts'
import type { FromDownloader } from '#contract/downloader-link.ts'
import type * as z from 'zod'
import { backoffMs } from '#resilience/retry.ts'
import type { Log } from './log.ts'

export type Received = z.output<typeof ToDownloader>

export type LinkOptions = {
  readonly url: string
  readonly token: string
  readonly hello: () => FromDownloader
  readonly receive: (message: Received) => void
  /** Called at each sign of life of the Worker. */
  readonly onAlive: () => void
  /** Called now and then while connected, for what has not been acknowledged. */
  readonly onQuiet: () => void
  readonly random: () => number
  readonly log: Log
  readonly timing?: LinkTiming
}

export type LinkTiming = {
  readonly pingMs: number
  readonly silenceMs: number
  readonly welcomeMs: number
  readonly baseDelayMs: number
  readonly maxDelayMs: number
  /** A connection that has held for so long was a good one. */
  readonly heldMs: number
  /** How long to leave the place to another with the same name: twice as long each time, up to the longest. */
  readonly replacedMs: number
  readonly maxReplacedMs: number
}

export type Link = {
  /** Says it if anybody hears; what must not be lost is said again after the next greeting. */
  readonly send: (message: FromDownloader) => void
  readonly connected: () => boolean
  readonly close: () => void
}

const defaultTiming: LinkTiming = {
  pingMs: pingIntervalMs,
  silenceMs: pingIntervalMs * 2.5,
  welcomeMs: 10_000,
  baseDelayMs: 500,
  maxDelayMs: 30_000,
  heldMs: 30_000,
  replacedMs: 60_000,
  maxReplacedMs: 15 * 60_000,
}

const timeoutMs = 10_000
const tokenAdvice = 'DOWNLOADER_TOKEN must be the same on both sides'
const nameAdvice = 'give each downloader a DOWNLOADER_ID of its own, and start it anew'
/** The Worker has been greeted by another process that goes by the same name: a connection of ours is over before the next. */
const replacedCode = 4409

/** Keeps an outbound WebSocket to the Worker for as long as the process lives. */
export function openLink(options: LinkOptions): Link {
  const { timing = defaultTiming, log, random } = options
  let connection: Connection | undefined
  let retry: NodeJS.Timeout | undefined
  let held: NodeJS.Timeout | undefined
  let failures = 0
  let replacements = 0
  let closed = false

  const delayAfterFailure = (reason: string): number => {
    failures += 1
    const policy = { tries: failures, baseMs: timing.baseDelayMs, maxDelayMs: timing.maxDelayMs }
    const delayMs = backoffMs(policy, failures, random)
    log.warn('not connected', { reason, failures, delayMs })
    if (failures === 1) void explain(options)
    return delayMs
  }
  /** At once, each would take the place of the other for ever, and neither would get a job done. */
  const delayAfterReplacement = (): number => {
    const waitMs = Math.min(timing.maxReplacedMs, timing.replacedMs * 2 ** Math.min(replacements, 30))
    replacements += 1
    const delayMs = Math.round(waitMs * (1 + random()))
    log.error('another downloader uses the DOWNLOADER_ID of this one', { advice: nameAdvice, delayMs })
    return delayMs
  }
  const connect = (): void => {
    connection = openConnection(options, timing, {
      welcomed: () => {
        held = setTimeout(() => {
          failures = 0
        }, timing.heldMs)
        log.info('connected')
      },
      ended: (reason, code) => {
        connection = undefined
        clearTimeout(held)
        if (closed) return
        const delayMs = code === replacedCode ? delayAfterReplacement() : delayAfterFailure(reason)
        retry = setTimeout(connect, delayMs)
      },
    })
  }
  connect()
  return {
    send: (message) => connection?.send(message),
    connected: () => connection?.welcomed() ?? false,
    close: () => {
      closed = true
      clearTimeout(retry)
      connection?.end('closing')
    },
  }
}

/** A WebSocket does not tell why it was refused; a plain request to the same address does. */
async function explain({ url, token, log }: LinkOptions): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  const headers = { authorization: `Bearer ${token}` }
  await fetch(url.replace(/^ws/, 'http'), { headers, signal, redirect: 'manual' }).then(
    ({ status }) =>
      log.warn('the Worker answers', { status, ...(status === 401 && { advice: tokenAdvice }) }),
    () => log.warn('the Worker does not answer'),
  )
}

type Connection = {
  readonly send: (message: FromDownloader) => void
  readonly welcomed: () => boolean
  readonly end: (reason: string) => void
}

function openConnection(
  { url, token, hello, receive, onAlive, onQuiet, log }: LinkOptions,
  timing: LinkTiming,
  on: { readonly welcomed: () => void; readonly ended: (reason: string, code?: number) => void },
): Connection {
  const socket = new WebSocket(url, { headers: { authorization: `Bearer ${token}` } })
  let welcomed = false
  let over = false
  let pinging: NodeJS.Timeout | undefined

  const end = (reason: string, code?: number): void => {
    if (over) return
    over = true
    clearTimeout(greeting)
    clearTimeout(silence)
    clearInterval(pinging)
    // The other side may be long gone: nobody waits for its farewell.
    socket.close(1000)
    on.ended(reason, code)
  }
  // A pong is no greeting: it comes without anybody being awake over there.
  const greeting = setTimeout(() => end('no greeting'), timing.welcomeMs)
  let silence: NodeJS.Timeout | undefined
  const heard = (): void => {
    clearTimeout(silence)
    silence = setTimeout(() => end('silence'), timing.silenceMs)
    onAlive()
  }
  const write = (text: string): void => {
    if (!over && socket.readyState === WebSocket.OPEN) socket.send(text)
  }
  const send = (message: FromDownloader): void => {
    if (welcomed || message.type === 'hello') write(JSON.stringify(message))
  }

  socket.addEventListener('open', () => {
    send(hello())
    pinging = setInterval(() => {
      write(pingFrame)
      if (welcomed) onQuiet()
    }, timing.pingMs)
  })
  socket.addEventListener('message', ({ data }) => {
    if (over) return
    if (data === pongFrame) return heard()
    const message = parseFrame(ToDownloader, data)
    if (!message) return log.warn('a frame was not understood')
    heard()
    if (message.type === 'welcome' && !welcomed) {
      welcomed = true
      clearTimeout(greeting)
      on.welcomed()
    }
    receive(message)
  })
  socket.addEventListener('error', () => end('cannot connect'))
  socket.addEventListener('close', ({ code }) => end(`closed with ${code}`, code))
  return { send, welcomed: () => welcomed && !over, end }
}
