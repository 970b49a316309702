import type { Context } from 'hono'
import * as z from 'zod'

import { LiveTopic, liveTopics } from '#contract/live.ts'
import { Problem } from '#contract/problem.ts'

import type { AppEnv, Caller } from '../http/env.ts'
import { feature, type Feature } from '../http/feature.ts'
import { confirmCaller, confirmClaims } from '../http/middleware/guard.ts'
import { opaque, operation } from '../http/operation.ts'
import type { Live } from './service.ts'

const Ticket = z.object({ ticket: z.string(), expiresAt: z.iso.datetime() })

const Topics = z
  .string()
  .default('')
  .transform((text) => text.split(',').filter((part) => part !== ''))
  .pipe(z.array(LiveTopic).max(liveTopics.length))
  .meta({ description: `Comma-separated: ${liveTopics.join(', ')}. All when absent.` })

const issueTicket = operation({
  id: 'issueLiveTicket',
  method: 'post',
  path: '/ticket',
  summary: 'Get a ticket that opens one live connection',
  access: 'user',
  responses: { 201: z.object({ data: Ticket }) },
})

const subscribe = operation({
  id: 'subscribeLive',
  method: 'get',
  path: '/',
  summary: 'Hear of downloads, media and more as it happens (WebSocket)',
  access: 'public',
  request: {
    query: z.strictObject({
      since: z
        .string()
        .regex(/^\d{1,16}$/)
        .transform(Number)
        .pipe(z.int())
        .optional()
        .meta({ description: 'The last `seq` that was received' }),
      topics: Topics,
      ticket: z.string().max(256).optional(),
    }),
  },
  responses: { 101: 'upgrade' },
  problems: ['upgrade-required', 'unauthenticated', 'token-expired', 'session-revoked', 'origin-refused'],
})

export const live = (service: Live): Feature =>
  feature('/live', (on) => {
    on(issueTicket, async ({ c, caller }) =>
      c.json({ data: await service.issueTicket(caller) }, 201, { 'Cache-Control': 'no-store' }),
    )

    on(subscribe, async ({ c, query: { ticket, topics, since } }) => {
      if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') throw new Problem('upgrade-required')
      // Taken before the session is looked at: one that ends in between is then refused by the room.
      const admittedAt = c.var.http.now()
      const caller = await callerOf(c, service, ticket)
      return opaque(
        await service.connect(caller, { admittedAt, topics, ...(since !== undefined && { since }) }),
      )
    })
  })

async function callerOf(c: Context<AppEnv>, service: Live, ticket: string | undefined): Promise<Caller> {
  if (ticket !== undefined) return confirmClaims(c, await service.redeemTicket(ticket))
  const caller = await confirmCaller(c)
  if (!caller) throw new Problem('unauthenticated')
  return caller
}
