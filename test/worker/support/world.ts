import { env } from 'cloudflare:workers'
import * as z from 'zod'

import type { WorldUrls } from '../../support/world-urls.ts'

export const world: WorldUrls = env.TEST_WORLD

type Server = 'plexUrl' | 'plexTvUrl'

/** As the stand-ins take it; they refuse what they do not know. */
export type Fault = {
  readonly kind: 'delay' | 'hang' | 'status' | 'truncate' | 'html' | 'wrong-types' | 'reset' | 'unanswered'
  readonly path?: string
  readonly method?: string
  readonly times?: number
  readonly delayMs?: number
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Talks to a stand-in's control endpoint, as its operator would. */
export async function control(
  server: Server,
  name: string,
  body?: unknown,
  method = 'POST',
): Promise<unknown> {
  const response = await fetch(`${world[server]}/__control/${name}`, {
    method,
    ...(body !== undefined && {
      body: JSON.stringify(body),
      headers: { 'content-type': 'application/json' },
    }),
  })
  if (!response.ok) throw new Error(`control ${name}: ${response.status} ${await response.text()}`)
  return response.json()
}

export const fault = (server: Server, fault: Fault) => control(server, 'faults', fault)
export const clearFaults = async () => {
  await control('plexUrl', 'faults', undefined, 'DELETE')
  await control('plexTvUrl', 'faults', undefined, 'DELETE')
}

const Seen = z.array(z.object({ method: z.string(), path: z.string(), query: z.string(), at: z.number() }))

/** What a stand-in was asked, since it was last told to forget. */
export const seen = async (server: Server) => Seen.parse(await control(server, 'requests', undefined, 'GET'))
export const forgetSeen = (server: Server) => control(server, 'requests', undefined, 'DELETE')
