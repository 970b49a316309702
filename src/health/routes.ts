import * as z from 'zod'

import { HealthCause, HealthStatus, ServiceHealth, ServiceName } from '#contract/health.ts'

import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import type { Health } from './service.ts'

const fresh = { 'Cache-Control': 'no-store' }

const SystemHealth = z.object({
  status: HealthStatus,
  services: z.array(ServiceHealth).optional().meta({ description: 'For signed-in users; causes for admins' }),
})

const ServiceHistory = ServiceHealth.extend({
  hours: z.int(),
  samples: z.int().nonnegative().meta({ description: 'How many samples the numbers rest on, one a minute' }),
  uptimePercent: z.number().min(0).max(100).optional(),
  latency: z.object({ p50Ms: z.number(), p95Ms: z.number() }).optional(),
  points: z.array(
    z.object({
      at: z.iso.datetime(),
      status: HealthStatus.meta({ description: 'The worst of the interval that begins here' }),
      latencyMs: z.number().optional().meta({ description: 'The median of the interval' }),
      cause: HealthCause.optional(),
    }),
  ),
}).meta({ id: 'ServiceHistory' })

const liveness = operation({
  id: 'readLiveness',
  method: 'get',
  path: '/live',
  summary: 'Is there anybody? Asks nothing of any other service',
  access: 'public',
  responses: { 200: z.object({ data: z.object({ status: z.literal('healthy'), at: z.iso.datetime() }) }) },
})

const system = operation({
  id: 'readSystemHealth',
  method: 'get',
  path: '/system',
  summary: 'How is the whole, and each service?',
  access: 'optional',
  responses: { 200: z.object({ data: SystemHealth }) },
})

const history = operation({
  id: 'readServiceHealth',
  method: 'get',
  path: '/services/:service',
  summary: 'How has one service been?',
  access: 'user',
  request: {
    param: z.object({ service: ServiceName }),
    query: z.strictObject({ hours: z.coerce.number().int().min(1).max(72).default(24) }),
  },
  responses: { 200: z.object({ data: ServiceHistory }) },
})

export const health = (service: Health): Feature =>
  feature('/health', (on) => {
    on(liveness, ({ c }) =>
      c.json({ data: { status: 'healthy', at: new Date(c.var.http.now()).toISOString() } }, 200, fresh),
    )

    on(system, async ({ c, caller }) => c.json({ data: await service.system(caller) }, 200, fresh))

    on(history, async ({ c, caller, param, query }) =>
      c.json({ data: await service.service(caller, param.service, query.hours) }, 200, fresh),
    )
  })
