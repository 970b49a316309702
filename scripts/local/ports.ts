import { createServer } from 'node:net'

/** Whether nobody listens there yet. */
export async function isFree(port: number): Promise<boolean> {
  return (await tryPort(port)) !== undefined
}

/** The wished-for port when it is free, else any that is. */
export async function freePort(wish: number | undefined): Promise<number> {
  const port = (wish === undefined ? undefined : await tryPort(wish)) ?? (await tryPort(0))
  if (port === undefined) throw new Error('No port is free on the loopback interface.')
  return port
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
