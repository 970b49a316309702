import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import * as z from 'zod'

/** A fault the next matching requests meet, `times` times or until cleared. */
export const Fault = z.strictObject({
  kind: z.enum(['delay', 'hang', 'status', 'truncate', 'html', 'wrong-types', 'reset', 'unanswered']),
  /** Regular expression over the path (without the query); every path when absent. */
  path: z.string().optional(),
  method: z.string().optional(),
  times: z.int().positive().optional(),
  delayMs: z.int().nonnegative().optional(),
  status: z.int().min(100).max(599).optional(),
  headers: z.record(z.string(), z.string()).optional(),
  body: z.string().optional(),
})
export type Fault = z.output<typeof Fault>

export type SeenRequest = {
  method: string
  path: string
  query: string
  /** The part of it that was asked for, when not the whole. */
  range?: string
  at: number
}

export type Exchange = {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly body: Buffer
}

export type StandInOptions = {
  readonly handle: (exchange: Exchange) => Promise<void> | void
  /** Further control operations, by the path after `/__control/`. */
  readonly control?: Record<string, (exchange: Exchange) => Promise<unknown> | unknown>
  readonly port?: number
}

export type StandIn = {
  readonly url: string
  readonly port: number
  readonly seen: () => readonly SeenRequest[]
  readonly forgetSeen: () => void
  readonly fault: (fault: Fault) => void
  readonly clearFaults: () => void
  readonly close: () => Promise<void>
}

const bodyLimit = 32 * 1024 * 1024

/**
 * Starts a stand-in of an outside service on the loopback interface. Control, for tests and people:
 * `POST /__control/faults` adds a fault, `DELETE` clears them, `GET /__control/requests` lists what was asked.
 */
export async function startStandIn(options: StandInOptions): Promise<StandIn> {
  let faults: { fault: Fault; left: number }[] = []
  let seen: SeenRequest[] = []

  const control = async (name: string, exchange: Exchange): Promise<unknown> => {
    if (name === 'faults' && exchange.method === 'POST') {
      const fault = Fault.parse(JSON.parse(exchange.body.toString('utf8')))
      faults.push({ fault, left: fault.times ?? Number.POSITIVE_INFINITY })
      return { ok: true }
    }
    if (name === 'faults' && exchange.method === 'DELETE') {
      faults = []
      return { ok: true }
    }
    if (name === 'requests') {
      if (exchange.method === 'DELETE') seen = []
      return seen
    }
    return options.control?.[name]?.(exchange)
  }

  const take = (method: string, path: string): Fault | undefined => {
    const found = faults.find(
      ({ fault }) =>
        (!fault.method || fault.method === method) && (!fault.path || new RegExp(fault.path).test(path)),
    )
    if (!found) return undefined
    found.left -= 1
    if (found.left <= 0) faults = faults.filter((entry) => entry !== found)
    return found.fault
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'http://stand-in')
    const exchange: Exchange = {
      request,
      response,
      method: request.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      body: await readBody(request),
    }
    if (url.pathname.startsWith('/__control/')) {
      const answer = await control(url.pathname.slice('/__control/'.length), exchange)
      return sendJson(response, answer === undefined ? 404 : 200, answer ?? { error: 'no such control' })
    }
    const { range } = request.headers
    seen.push({
      method: exchange.method,
      path: url.pathname,
      query: url.search,
      ...(range !== undefined && { range }),
      at: Date.now(),
    })
    if (seen.length > 50_000) seen = seen.slice(-10_000)
    const fault = take(exchange.method, url.pathname)
    if (fault && (await suffer(fault, exchange))) return
    await options.handle(exchange)
  }

  const server = createServer((request, response) => {
    serve(request, response).catch((error: unknown) => {
      if (!response.headersSent) response.writeHead(500, { 'content-type': 'text/plain' })
      response.end(`stand-in failed: ${String(error)}`)
    })
  })
  server.keepAliveTimeout = 30_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port ?? 0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo

  return {
    url: `http://127.0.0.1:${port}`,
    port,
    seen: () => seen,
    forgetSeen: () => {
      seen = []
    },
    fault: (fault) => {
      faults.push({ fault: Fault.parse(fault), left: fault.times ?? Number.POSITIVE_INFINITY })
    },
    clearFaults: () => {
      faults = []
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** Applies a fault. True when it has answered, or taken the connection away. */
async function suffer(fault: Fault, { request, response }: Exchange): Promise<boolean> {
  if (fault.delayMs) await new Promise((resolve) => setTimeout(resolve, fault.delayMs))
  switch (fault.kind) {
    case 'delay':
      return false
    case 'hang':
      return true
    case 'reset':
      request.socket.resetAndDestroy()
      return true
    case 'status':
      response.writeHead(fault.status ?? 500, { 'content-type': 'text/html', ...fault.headers })
      response.end(fault.body ?? '<html><head><title>Error</title></head><body><h1>Error</h1></body></html>')
      return true
    case 'html':
      response.writeHead(200, { 'content-type': 'text/html', ...fault.headers })
      response.end(fault.body ?? '<!doctype html><title>Sign in</title><h1>Reverse proxy sign-in</h1>')
      return true
    case 'truncate': {
      const text = fault.body ?? '{"MediaContainer":{"size":2,"Directory":[{"key":"1","ti'
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length + 100 })
      response.write(text)
      setTimeout(() => request.socket.destroy(), 20)
      return true
    }
    case 'wrong-types':
      sendJson(
        response,
        200,
        fault.body ? JSON.parse(fault.body) : { MediaContainer: 'not an object', size: [] },
      )
      return true
    case 'unanswered':
      // What was asked for is done, and nobody hears of it.
      Object.assign(response, { writeHead: () => response, write: () => true, end: () => response })
      return false
  }
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > bodyLimit) throw new Error('body too large for a stand-in')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

export function sendJson(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' })
  response.end(JSON.stringify(value))
}
