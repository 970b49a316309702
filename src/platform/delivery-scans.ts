import { and, inArray, like, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { ScanOutcome } from '#contract/live.ts'

import { scanAsked } from '../webhooks/delivery.ts'
import { deliveries } from './tables.ts'

/** D1 binds a hundred values at most. */
const atOnce = 90

/** Writes on deliveries what the scan they asked for has come to. Doing it again changes nothing. */
export function createDeliveryScans(db: DrizzleD1Database) {
  return async (ids: readonly number[], outcome: ScanOutcome): Promise<void> => {
    const noted = sql`replace(${deliveries.outcome}, ${scanAsked}, ${`scan: ${outcome}`})`
    for (let start = 0; start < ids.length; start += atOnce) {
      const some = ids.slice(start, start + atOnce)
      await db
        .update(deliveries)
        .set({ outcome: noted })
        .where(and(inArray(deliveries.id, some), like(deliveries.outcome, `%${scanAsked}%`)))
    }
  }
}
