import { setTimeout as sleep } from 'node:timers/promises'
import type { Exchange } from '../stand-in.ts'
import type { Behaviour } from './behaviour.ts'

export type Sent = { readonly bytes: Buffer; readonly type: string; readonly behaviour: Behaviour }

type Span = { readonly start: number; readonly end: number }

// Fixed, since yt-dlp takes the date of a direct file for the date of the video.
const lastModified = 'Sat, 14 Mar 2026 15:09:26 GMT'
const ticksPerSecond = 20
const webPage =
  '<!doctype html><html><head><title>Please accept our terms</title></head><body>Not a film.</body></html>'

/** Serves a media file with ranges, in the way its behaviour says. */
export async function sendMedia(exchange: Exchange, { bytes, type, behaviour }: Sent): Promise<void> {
  const { response } = exchange
  if (behaviour.status !== undefined) {
    const after = behaviour.after ?? (behaviour.status === 429 ? 30 : undefined)
    response.writeHead(behaviour.status, after === undefined ? {} : { 'retry-after': String(after) })
    response.end()
  } else if (behaviour.instead === 'html') {
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(webPage)
  } else if (behaviour.instead === 'endless') {
    response.writeHead(200, { 'content-type': type })
    await pour(exchange, bytes, { start: 0, end: Number.POSITIVE_INFINITY }, behaviour)
  } else {
    const content = behaviour.instead === 'garbage' ? noise(bytes.length) : bytes
    await sendRange(exchange, { bytes: content, type, behaviour })
  }
}

async function sendRange(exchange: Exchange, { bytes, type, behaviour }: Sent): Promise<void> {
  const { request, response, method } = exchange
  const size = behaviour.claim ?? bytes.length
  const headers = {
    'content-type': type,
    'accept-ranges': 'bytes',
    'last-modified': lastModified,
    etag: `"${bytes.length.toString(16)}"`,
  }
  const asked = request.headers.range
  const span = asked === undefined ? undefined : parseRange(asked, size)
  if (asked !== undefined && !span) {
    response.writeHead(416, { 'content-range': `bytes */${size}` })
    response.end()
    return
  }
  const { start, end } = span ?? { start: 0, end: size }
  response.writeHead(span ? 206 : 200, {
    ...headers,
    'content-length': end - start,
    ...(span ? { 'content-range': `bytes ${start}-${end - 1}/${size}` } : {}),
  })
  if (method === 'HEAD') response.end()
  else await pour(exchange, bytes, { start, end }, behaviour)
}

/** Byte ranges, `end` exclusive; undefined when the file has no such part. */
export function parseRange(header: string, size: number): Span | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header)
  if (!match || (!match[1] && !match[2])) return undefined
  const start = match[1] ? Number(match[1]) : Math.max(0, size - Number(match[2]))
  const end = match[1] && match[2] ? Math.min(Number(match[2]) + 1, size) : size
  return start < end ? { start, end } : undefined
}

/** Writes a span of the file, repeated when the span is longer than the file, and stops where the behaviour stops it. */
async function pour(
  { request, response }: Exchange,
  bytes: Buffer,
  { start, end }: Span,
  { rate, stall, cut, drop }: Behaviour,
): Promise<void> {
  const last = Math.min(end, stall ?? end, cut ?? end, drop === undefined ? end : start + drop)
  const step = rate === undefined ? 256 * 1024 : Math.max(1, Math.floor(rate / ticksPerSecond))
  let position = start
  // Also when not a byte follows: a server that cuts films short has begun to answer.
  response.flushHeaders()
  while (position < last && !response.destroyed) {
    const from = position % bytes.length
    const chunk = bytes.subarray(from, Math.min(from + step, from + (last - position)))
    const room = response.write(chunk)
    position += chunk.length
    if (rate !== undefined) await sleep((chunk.length / rate) * 1000)
    else if (!room) await drained(response)
  }
  if (position >= end) response.end()
  else if (stall === undefined || position < stall) hangUp(request)
}

/** Lets what was written leave first: resetting at once would throw it away. */
function hangUp(request: Exchange['request']): void {
  request.socket.end()
  request.socket.destroySoon()
}

function drained(response: Exchange['response']): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
}

/** The same bytes each time, and no film. */
function noise(length: number): Buffer {
  const bytes = Buffer.alloc(length)
  let state = 0x2545f491
  for (let index = 0; index < length; index += 1) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    bytes[index] = state & 0xff
  }
  return bytes
}
