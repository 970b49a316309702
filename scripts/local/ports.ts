import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'

/** Whether nobody listens there yet. */
export async function isFree(port: number): Promise<boolean> {
  return (await tryPort(port)) !== undefined
}

/**
 * The wished-for port when it is free, else any that is. One below those that connections are given by themselves: it must still
 * be free when it is used.
 */
export async function freePort(wish: number | undefined): Promise<number> {
  const others = Array.from({ length: 20 }, () => randomInt(10_240, 32_768))
  for (const choice of [...(wish === undefined ? [] : [wish]), ...others, 0]) {
    const port = await tryPort(choice)
    if (port !== undefined) return port
  }
  throw new Error('No port is free on the loopback interface.')
}

function tryPort(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      const taken = typeof address === 'object' ? address?.port : undefined
      server.close(() => resolve(taken))
    })
  })
}
