import type { Context } from 'hono'

import { clientAddress } from '../http/client-address.ts'
import type { AppEnv } from '../http/env.ts'
import { data } from '../http/envelope.ts'
import { feature, type Feature } from '../http/feature.ts'
import { rateLimited } from '../http/middleware/guard.ts'
import { operation } from '../http/operation.ts'
import {
  Acknowledgement,
  DeliveryListQuery,
  DeliveryPage,
  DeliveryParam,
  deliveryView,
  DeliveryView,
  GenericParam,
  Health,
  PlexParam,
  Stats,
} from './schema.ts'
import type { Target } from './senders.ts'
import type { Webhooks } from './service.ts'

const intake = {
  method: 'post',
  access: 'machine',
  responses: { 202: data(Acknowledgement) },
  problems: ['invalid-signature', 'not-configured', 'payload-too-large', 'rate-limited', 'invalid-request'],
} as const

const fromPlex = operation({
  ...intake,
  id: 'receivePlexWebhook',
  path: '/plex/:secret',
  summary: 'Take in an event from Plex: a form, posted to an address that holds the secret',
  request: { param: PlexParam },
})

const fromOverseerr = operation({
  ...intake,
  id: 'receiveOverseerrWebhook',
  path: '/overseerr',
  summary:
    'Take in an event from Overseerr or Seerr: the secret in Authorization, or a signature over the body',
})

const fromGitHub = operation({
  ...intake,
  id: 'receiveGitHubWebhook',
  path: '/github',
  summary: 'Take in an event from GitHub, signed in X-Hub-Signature-256',
})

const fromGeneric = operation({
  ...intake,
  id: 'receiveGenericWebhook',
  path: '/generic/:source',
  summary: 'Take in an event from any sender that signs: Standard Webhooks, or HMAC-SHA256 over the body',
  request: { param: GenericParam },
})

const readStats = operation({
  id: 'readWebhookStats',
  method: 'get',
  path: '/stats',
  summary: 'Count deliveries by source and status',
  access: 'admin',
  responses: { 200: data(Stats) },
})

const readHealth = operation({
  id: 'readWebhookHealth',
  method: 'get',
  path: '/health',
  summary: 'Say whether webhooks are worked off',
  access: 'optional',
  responses: { 200: data(Health) },
})

const listDeliveries = operation({
  id: 'listDeliveries',
  method: 'get',
  path: '/deliveries',
  summary: 'List deliveries, newest first',
  access: 'admin',
  request: { query: DeliveryListQuery },
  responses: { 200: DeliveryPage },
})

const readDelivery = operation({
  id: 'readDelivery',
  method: 'get',
  path: '/deliveries/:id',
  summary: 'Read one delivery',
  access: 'admin',
  request: { param: DeliveryParam },
  responses: { 200: data(DeliveryView) },
  problems: ['not-found'],
})

const replayDelivery = operation({
  id: 'replayDelivery',
  method: 'post',
  path: '/deliveries/:id/replay',
  summary: 'Have a delivery done again',
  access: 'admin',
  request: { param: DeliveryParam },
  responses: { 202: data(DeliveryView) },
  problems: ['not-found'],
})

const publicHealthMaxAgeMs = 5_000

export function webhooks(service: Webhooks): Feature {
  const take = async (c: Context<AppEnv>, target: Target) => {
    const receipt = await service.receive(target, {
      address: clientAddress(c),
      header: (name) => c.req.header(name),
      body: c.req.raw.body,
    })
    c.set('allowance', receipt.left)
    if (!receipt.admitted) throw rateLimited(receipt.left, receipt.retryAfter)
    return c.json({ data: receipt.acknowledgement }, 202)
  }

  return feature('/webhooks', (on) => {
    on(fromPlex, ({ c, param }) => take(c, { kind: 'plex', secret: param.secret }))
    on(fromOverseerr, ({ c }) => take(c, { kind: 'overseerr' }))
    on(fromGitHub, ({ c }) => take(c, { kind: 'github' }))
    on(fromGeneric, ({ c, param }) => take(c, { kind: 'generic', name: param.source }))

    on(readStats, async ({ c }) => c.json({ data: await service.stats() }, 200))
    on(readHealth, async ({ c, caller }) => {
      if (caller?.role === 'admin') return c.json({ data: await service.health() }, 200)
      const { status } = await service.health(publicHealthMaxAgeMs)
      return c.json({ data: { status } }, 200)
    })
    on(listDeliveries, async ({ c, query }) => {
      const { deliveries, meta } = await service.list(query)
      return c.json({ data: deliveries.map(deliveryView), meta }, 200)
    })
    on(readDelivery, async ({ c, param }) =>
      c.json({ data: deliveryView(await service.read(param.id)) }, 200),
    )
    on(replayDelivery, async ({ c, param, caller }) => {
      const delivery = await service.replay(param.id, caller.userId)
      return c.json({ data: deliveryView(delivery) }, 202)
    })
  })
}
