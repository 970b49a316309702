import type * as z from 'zod'

import { LiveFrame, liveEvents } from '#contract/live.ts'

import { clientOf } from '../live/support.ts'
import { ask, type Session } from '../support/client.ts'

/** Somebody at `/api/live`, and what they have heard of scans. */
export async function subscribe({ accessToken }: Session) {
  const headers = { upgrade: 'websocket' }
  const client = clientOf(await ask('GET', '/api/live', { token: accessToken, headers }))
  const name = 'plex:library:scanned'
  return {
    scanned: (): readonly z.output<(typeof liveEvents)[typeof name]>[] =>
      client
        .waiting()
        .map((text) => LiveFrame.parse(JSON.parse(text)))
        .flatMap(({ event, data }) => (event === name ? [liveEvents[name].parse(data)] : [])),
    close: () => client.socket.close(),
  }
}
