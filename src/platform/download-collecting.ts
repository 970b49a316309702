import { and, gte, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { CollectingStore } from '../youtube/ports.ts'
import { downloads } from './tables.ts'

/** D1 binds at most a hundred values. */
const idsPerUpdate = 90

export function createDownloadCollecting(db: DrizzleD1Database): CollectingStore {
  return {
    async waiting(since, limit) {
      const rows = await db
        .select({
          id: downloads.id,
          userId: downloads.userId,
          title: downloads.collection,
          ratingKey: downloads.ratingKey,
        })
        .from(downloads)
        .where(
          and(
            isNotNull(downloads.ratingKey),
            isNotNull(downloads.collection),
            isNull(downloads.collectedAt),
            isNull(downloads.removedAt),
            gte(downloads.endedAt, since),
          ),
        )
        .orderBy(sql`random()`)
        .limit(limit)
      return rows.flatMap(({ title, ratingKey, ...rest }) =>
        title !== null && ratingKey !== null ? [{ ...rest, title, ratingKey }] : [],
      )
    },

    async collected(ids, at) {
      for (let start = 0; start < ids.length; start += idsPerUpdate) {
        const batch = ids.slice(start, start + idsPerUpdate)
        await db.update(downloads).set({ collectedAt: at }).where(inArray(downloads.id, batch))
      }
    },
  }
}
