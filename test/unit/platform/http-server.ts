import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Respond = (request: IncomingMessage, response: ServerResponse) => void

/** A server on the loopback interface that answers each request by the next of the given ways, the last for ever. */
export async function startServer(...ways: readonly Respond[]) {
  let asked = 0
  const server = createServer((request, response) => {
    const respond = ways[Math.min(asked, ways.length - 1)]
    asked += 1
    respond?.(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/library`,
    asked: () => asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

export const reply =
  (status: number, headers: Record<string, string> = {}, body = ''): Respond =>
  (_request, response) => {
    response.writeHead(status, headers)
    response.end(body)
  }

export const hang: Respond = () => undefined
