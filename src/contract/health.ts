import * as z from 'zod'

import { downloaderTroubles } from './downloader-link.ts'

export const HealthStatus = z
  .enum(['healthy', 'degraded', 'unhealthy', 'unknown'])
  .meta({ id: 'HealthStatus' })
export type HealthStatus = z.output<typeof HealthStatus>

export const serviceNames = ['plex', 'plex-tv', 'database', 'cache', 'webhooks', 'downloader'] as const
export const ServiceName = z.enum(serviceNames)
export type ServiceName = z.output<typeof ServiceName>

/** Why a service is not healthy. Causes are for admins: they say something about the inside. */
export const healthCauses = [
  'unreachable',
  'dns',
  'tls',
  'timeout',
  'wrong-server',
  'token-refused',
  'maintenance',
  'slow',
  'circuit-open',
  'invalid-answer',
  'none-connected',
  ...downloaderTroubles,
  'bot-check',
  'rate-limited',
  'backlog',
  'not-configured',
  'error',
] as const
export const HealthCause = z.enum(healthCauses)
export type HealthCause = z.output<typeof HealthCause>

export const ServiceHealth = z
  .object({
    service: ServiceName,
    status: HealthStatus,
    checkedAt: z.iso.datetime().optional(),
    latencyMs: z.number().nonnegative().optional(),
    cause: HealthCause.optional(),
  })
  .meta({ id: 'ServiceHealth' })
export type ServiceHealth = z.output<typeof ServiceHealth>

/** The whole is unhealthy when Plex or the database is, and degraded when anything else is not healthy. */
export function overall(services: readonly Pick<ServiceHealth, 'service' | 'status'>[]): HealthStatus {
  if (services.length === 0) return 'unknown'
  const vital = services.filter(({ service }) => service === 'plex' || service === 'database')
  if (vital.some(({ status }) => status === 'unhealthy')) return 'unhealthy'
  if (services.every(({ status }) => status === 'healthy')) return 'healthy'
  return services.every(({ status }) => status === 'unknown') ? 'unknown' : 'degraded'
}
