import {
  and,
  asc,
  count,
  desc,
  eq,
  gt,
  inArray,
  lt,
  max,
  ne,
  notExists,
  or,
  sql,
  type SQL,
} from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import { pendingStatuses, type Delivery } from '../webhooks/delivery.ts'
import type { DeliveryFilter, DeliveryStore, NewDelivery } from '../webhooks/ports.ts'
import { deliveries } from './tables.ts'

/** Deliveries in D1: one row and one index entry each, so every statement but the first writes one row at most. */
export function createDeliveryStore(db: DrizzleD1Database): DeliveryStore {
  const pendingWithId = (id: number) =>
    and(eq(deliveries.id, id), inArray(deliveries.status, [...pendingStatuses]))

  return {
    async insertUnlessKnown(delivery, afterId) {
      const known = db
        .select({ id: deliveries.id })
        .from(deliveries)
        .where(
          and(
            eq(deliveries.dedupKey, delivery.dedupKey),
            gt(deliveries.id, afterId),
            ne(deliveries.status, 'dead'),
          ),
        )
        .limit(1)
      const inserted = await db
        .insert(deliveries)
        .select(sql`select ${values(delivery)} where ${notExists(known)}`)
        .onConflictDoNothing()
        .returning({ id: deliveries.id })
      if (inserted.length > 0) return { outcome: 'inserted' }
      const [joined] = await known
      return joined ? { outcome: 'joined', id: joined.id } : { outcome: 'id-taken' }
    },

    async find(id) {
      const [row] = await db.select().from(deliveries).where(eq(deliveries.id, id)).limit(1)
      return row && deliveryOf(row)
    },

    async list(filter, { offset, limit }) {
      const where = filtered(filter)
      const [rows, [counted]] = await db.batch([
        db.select().from(deliveries).where(where).orderBy(desc(deliveries.id)).limit(limit).offset(offset),
        db.select({ total: count() }).from(deliveries).where(where),
      ])
      return { deliveries: rows.map(deliveryOf), total: counted?.total ?? 0 }
    },

    async settlePending(id, { status, outcome, at }) {
      const attempts = status === 'processed' ? sql`${deliveries.attempts} + 1` : undefined
      const settled = await db
        .update(deliveries)
        .set({
          status,
          processedAt: at,
          ...(outcome !== undefined && { outcome }),
          ...(attempts && { attempts }),
        })
        .where(pendingWithId(id))
        .returning({ id: deliveries.id })
      return settled.length > 0
    },

    async recordFailure(id, outcome) {
      const [row] = await db
        .update(deliveries)
        .set({ status: 'retrying', outcome, attempts: sql`${deliveries.attempts} + 1` })
        .where(pendingWithId(id))
        .returning({ attempts: deliveries.attempts })
      return row?.attempts
    },

    async reopen(id) {
      const [row] = await db
        .update(deliveries)
        .set({ status: 'stored', attempts: 0, outcome: null, processedAt: null })
        .where(eq(deliveries.id, id))
        .returning()
      return row && deliveryOf(row)
    },

    async pending({ afterId, storedBeforeId, retryingBeforeId, limit }) {
      const rows = await db
        .select({ id: deliveries.id })
        .from(deliveries)
        .where(
          and(
            gt(deliveries.id, afterId),
            or(
              and(eq(deliveries.status, 'stored'), lt(deliveries.id, storedBeforeId)),
              and(eq(deliveries.status, 'retrying'), lt(deliveries.id, retryingBeforeId)),
            ),
          ),
        )
        .orderBy(asc(deliveries.id))
        .limit(limit)
      return rows.map(({ id }) => id)
    },

    async tally(afterId, olderThanId) {
      const rows = await db
        .select({
          source: deliveries.source,
          status: deliveries.status,
          count: count(),
          older: sql<number>`sum(${deliveries.id} < ${olderThanId})`,
          lastId: max(deliveries.id),
        })
        .from(deliveries)
        .where(gt(deliveries.id, afterId))
        .groupBy(deliveries.source, deliveries.status)
      return rows.map(({ lastId, ...row }) => ({ ...row, lastId: lastId ?? 0 }))
    },
  }
}

/** The columns in the table's order, which is what an insert of a selection goes by. */
function values({ id, source, event, verdict, dedupKey, status, kept }: NewDelivery): SQL {
  const keptText = sql.param(kept, deliveries.kept)
  return sql`${id}, ${source}, ${event}, ${verdict}, ${dedupKey}, ${status}, 0, ${keptText}, null, null`
}

function filtered({ source, status }: DeliveryFilter): SQL | undefined {
  return and(
    source === undefined ? undefined : eq(deliveries.source, source),
    status === undefined ? undefined : eq(deliveries.status, status),
  )
}

function deliveryOf({ outcome, processedAt, ...row }: typeof deliveries.$inferSelect): Delivery {
  return { ...row, ...(outcome !== null && { outcome }), ...(processedAt !== null && { processedAt }) }
}
