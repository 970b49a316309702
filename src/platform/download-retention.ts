import { and, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { RetentionStore } from '../youtube/history-ports.ts'
import { removalOf } from './shared-files.ts'
import { downloads } from './tables.ts'

/** The files that downloads have put into the library, each once, whoever shares it. */
export function createDownloadRetention(db: DrizzleD1Database): RetentionStore {
  return {
    async files() {
      const rows = await db
        .select({
          downloadId: downloads.id,
          title: downloads.title,
          bytes: sql<number>`coalesce(${downloads.bytes}, 0)`,
          status: downloads.status,
          endedAt: downloads.endedAt,
          sharedAt: ofSharers<string | null>('max(other.ended_at)'),
          isProtected: sql<number>`${downloads.isProtected} or coalesce(${ofSharers('max(other.is_protected)')}, 0)`,
        })
        .from(downloads)
        .where(
          and(
            inArray(downloads.status, ['scanning', 'completed']),
            isNotNull(downloads.file),
            isNotNull(downloads.plexPath),
            isNotNull(downloads.downloaderId),
            isNull(downloads.sharedFrom),
            isNull(downloads.removedAt),
          ),
        )
      return rows.map(({ title, status, endedAt, sharedAt, isProtected, ...row }) => ({
        ...row,
        ...(title !== null && { title }),
        since: Math.max(timeOf(endedAt), timeOf(sharedAt)),
        isProtected: isProtected === 1,
        isActive: status !== 'completed',
      }))
    },

    async removals(ids) {
      if (ids.length === 0) return []
      const rows = await db
        .select()
        .from(downloads)
        .where(and(inArray(downloads.id, [...ids]), eq(downloads.status, 'completed')))
      return rows.flatMap((row) => removalOf(row) ?? [])
    },
  }
}

const ofSharers = <T>(what: string) =>
  sql<T>`(
    select ${sql.raw(what)} from ${downloads} as other
    where other.shared_from = ${downloads}.id and other.removed_at is null
  )`

const timeOf = (instant: string | null): number => (instant === null ? 0 : Date.parse(instant))
