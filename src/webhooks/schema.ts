import * as z from 'zod'

import { HealthStatus } from '#contract/health.ts'

import { receivedAt, showDeliveryId } from './delivery-id.ts'
import { deliveryStatuses, joinReasons, type Delivery, type Source } from './delivery.ts'

const DeliveryId = z.string().meta({ description: 'A delivery, as its acknowledgement named it' })
const count = z.int().nonnegative()

const Source = z.union([
  z.enum(['plex', 'overseerr', 'github']),
  z.templateLiteral(['generic:', z.string().regex(/^[\w-]{1,64}$/)]),
])

export const Acknowledgement = z.object({
  id: DeliveryId,
  status: z.enum(['stored', 'duplicate']),
  joined: DeliveryId.optional().meta({ description: 'The earlier delivery that this one repeats' }),
  because: z.enum(joinReasons).optional(),
})

export const PlexParam = z.object({ secret: z.string() })
export const GenericParam = z.object({ source: z.string() })
export const DeliveryParam = z.object({ id: z.string() })

export const DeliveryListQuery = z.strictObject({
  source: Source.optional(),
  status: z.enum(deliveryStatuses).optional(),
  page: z.coerce.number().int().min(1).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
})

export const DeliveryView = z.object({
  id: DeliveryId,
  source: z.string(),
  event: z.string(),
  verdict: z.enum(['verified', 'authenticated']),
  status: z.enum(deliveryStatuses),
  attempts: count,
  receivedAt: z.iso.datetime(),
  processedAt: z.iso.datetime().optional(),
  outcome: z.string().optional(),
  kept: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})

export const DeliveryPage = z.object({
  data: z.array(DeliveryView),
  meta: z.object({ page: count, limit: count, total: count, totalPages: count }),
})

export const Stats = z
  .object({
    since: z.iso.datetime(),
    sources: z
      .array(
        z.object({
          source: z.string(),
          total: count,
          lastReceivedAt: z.iso.datetime().optional(),
          statuses: z.record(z.enum(deliveryStatuses), count),
        }),
      )
      .readonly(),
  })
  .meta({ description: 'Deliveries that were verified and stored, by source, over the last 24 hours' })

export const Health = z
  .object({
    status: HealthStatus,
    dead: count.optional(),
    backlog: count.optional(),
    sources: z
      .array(z.object({ source: z.string(), configured: z.boolean() }))
      .readonly()
      .optional(),
  })
  .meta({ description: 'Over the last 24 hours; admins see more than the status' })

export function deliveryView(delivery: Delivery): z.input<typeof DeliveryView> {
  const { id, source, event, verdict, status, attempts, kept, outcome, processedAt } = delivery
  return {
    id: showDeliveryId(id),
    source,
    event,
    verdict,
    status,
    attempts,
    receivedAt: new Date(receivedAt(id)).toISOString(),
    kept,
    ...(processedAt !== undefined && { processedAt }),
    ...(outcome !== undefined && { outcome }),
  }
}
