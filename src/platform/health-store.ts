import { and, asc, desc, eq, gte, lt } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import { serviceNames, type ServiceName } from '#contract/health.ts'

import type { HealthStore, Sample } from '../health/ports.ts'
import { healthSamples } from './tables.ts'

type Row = typeof healthSamples.$inferSelect

/** Health samples in D1, keyed by time and service, so that the only index is the key. */
export function createHealthStore(db: DrizzleD1Database): HealthStore {
  return {
    async record(samples, forgetBefore) {
      await db.batch([
        db.insert(healthSamples).values(samples.map(rowOf)).onConflictDoNothing(),
        db.delete(healthSamples).where(lt(healthSamples.id, firstIdOf(forgetBefore))),
      ])
    },

    async recent(rounds) {
      const limit = rounds * serviceNames.length
      const rows = await db.select().from(healthSamples).orderBy(desc(healthSamples.id)).limit(limit)
      return rows.map(sampleOf)
    },

    async history(service, since) {
      const wanted = and(gte(healthSamples.id, firstIdOf(since)), eq(healthSamples.service, service))
      const rows = await db.select().from(healthSamples).where(wanted).orderBy(asc(healthSamples.id))
      return rows.map(sampleOf)
    },
  }
}

const idsPerMillisecond = 16

const firstIdOf = (at: number) => Math.floor(at) * idsPerMillisecond

const idOf = (at: number, service: ServiceName) => firstIdOf(at) + serviceNames.indexOf(service)

function rowOf({ service, status, cause, latencyMs, at }: Sample): Row {
  return { id: idOf(at, service), service, status, cause: cause ?? null, latencyMs: latencyMs ?? null }
}

function sampleOf({ id, service, status, cause, latencyMs }: Row): Sample {
  return {
    service,
    status,
    at: Math.floor(id / idsPerMillisecond),
    ...(cause !== null && { cause }),
    ...(latencyMs !== null && { latencyMs }),
  }
}
