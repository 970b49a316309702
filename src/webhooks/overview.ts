import type { HealthStatus } from '#contract/health.ts'

import { firstIdAt, receivedAt } from './delivery-id.ts'
import { deliveryStatuses, pendingStatuses, type DeliveryStatus, type Source } from './delivery.ts'
import type { Tally, WebhooksDependencies } from './ports.ts'
import { hourMs, minuteMs } from './sender.ts'
import type { Senders } from './senders.ts'

export type SourceStats = {
  readonly source: Source
  readonly total: number
  readonly lastReceivedAt?: string
  readonly statuses: Readonly<Record<DeliveryStatus, number>>
}

export type WebhookStats = { readonly since: string; readonly sources: readonly SourceStats[] }

export type WebhookHealth = {
  readonly status: HealthStatus
  readonly dead: number
  /** Deliveries that have waited for longer than they should. */
  readonly backlog: number
  readonly sources: readonly { readonly source: Source; readonly configured: boolean }[]
}

const rangeMs = 24 * hourMs
const overdueMs = 2 * minuteMs

/** How the last day went. */
export function createOverview({ store, now }: WebhooksDependencies, { configured }: Senders) {
  let known: { readonly at: number; readonly health: WebhookHealth } | undefined

  const tally = () => store.tally(firstIdAt(now() - rangeMs), firstIdAt(now() - overdueMs))

  return {
    async stats(): Promise<WebhookStats> {
      const since = new Date(now() - rangeMs).toISOString()
      const bySource = Map.groupBy(await tally(), ({ source }) => source)
      const sources = new Set<Source>([...configured.map(({ source }) => source), ...bySource.keys()])
      return { since, sources: Array.from(sources, (source) => statsOf(source, bySource.get(source) ?? [])) }
    },

    /** An answer of up to that age will do: everybody may ask, and each answer reads a day's rows. */
    async health(maxAgeMs = 0): Promise<WebhookHealth> {
      if (known && now() - known.at < maxAgeMs) return known.health
      const rows = await tally()
      const dead = sum(rows.filter(({ status }) => status === 'dead').map(({ count }) => count))
      const backlog = sum(rows.filter(isPending).map(({ older }) => older))
      const any = configured.some((source) => source.configured)
      const status = dead > 0 || backlog > 0 ? 'degraded' : any ? 'healthy' : 'unknown'
      const health = { status, dead, backlog, sources: configured } as const
      known = { at: now(), health }
      return health
    },
  }
}

function statsOf(source: Source, rows: readonly Tally[]): SourceStats {
  const count = (status: DeliveryStatus) => rows.find((row) => row.status === status)?.count ?? 0
  const lastId = Math.max(0, ...rows.map((row) => row.lastId))
  return {
    source,
    total: sum(deliveryStatuses.map(count)),
    ...(lastId > 0 && { lastReceivedAt: new Date(receivedAt(lastId)).toISOString() }),
    statuses: {
      stored: count('stored'),
      processed: count('processed'),
      ignored: count('ignored'),
      retrying: count('retrying'),
      dead: count('dead'),
    },
  }
}

function isPending({ status }: Tally): boolean {
  return pendingStatuses.some((pending) => pending === status)
}

const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0)
