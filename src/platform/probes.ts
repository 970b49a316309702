import { sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { HealthCause, HealthStatus, ServiceName } from '#contract/health.ts'

import type { Probed } from '../health/ports.ts'

type Options = {
  readonly kv: KVNamespace
  readonly db: DrizzleD1Database
  readonly plex: () => Promise<Probed>
  readonly youtube: () => Promise<{ readonly status: HealthStatus; readonly cause?: HealthCause }>
  readonly webhooks: () => Promise<{ readonly status: HealthStatus }>
  readonly plexTvUrl: string
}

/** How each service is looked at: by a call of its own, never through the cache of answers. */
export function createProbes({
  kv,
  db,
  plex,
  youtube,
  webhooks,
  plexTvUrl,
}: Options): Readonly<Record<ServiceName, () => Promise<Probed>>> {
  return {
    plex,
    'plex-tv': async () => {
      const response = await fetch(`${plexTvUrl}/api/v2/ping`, {
        headers: { Accept: 'application/json', 'X-Plex-Client-Identifier': 'medianest-health' },
        redirect: 'manual',
        signal: AbortSignal.timeout(4_000),
      }).catch(() => undefined)
      await response?.body?.cancel()
      if (!response) return { status: 'unhealthy', cause: 'unreachable' }
      // Without a token plex.tv may well refuse: what counts is that it answers.
      return response.status < 500 ? { status: 'healthy' } : { status: 'unhealthy', cause: 'invalid-answer' }
    },
    database: async () => {
      await db.run(sql`select 1`)
      return { status: 'healthy' }
    },
    cache: async () => {
      await kv.get('health')
      return { status: 'healthy' }
    },
    webhooks: async () => {
      const { status } = await webhooks()
      return {
        status,
        ...(status === 'degraded' && { cause: 'backlog' as const }),
        ...(status === 'unknown' && { cause: 'not-configured' as const }),
      }
    },
    downloader: async () => {
      const { status, cause } = await youtube()
      return { status, ...(cause && { cause }) }
    },
  }
}
