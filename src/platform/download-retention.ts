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
          sharedAt,
          isProtected,
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
        since: sinceOf(endedAt, sharedAt),
        isProtected: isProtected === 1,
        isActive: status !== 'completed',
      }))
    },

    async clearances(ids) {
      if (ids.length === 0) return []
      const rows = await db
        .select({ row: downloads, sharedAt })
        .from(downloads)
        .where(and(isAmong(ids), eq(downloads.status, 'completed'), eq(isProtected, 0)))
      return rows.flatMap(({ row, sharedAt }) => {
        const removal = removalOf(row)
        return removal ? { ...removal, idleSince: sinceOf(row.endedAt, sharedAt) } : []
      })
    },
  }
}

const ofSharers = <T>(what: string) =>
  sql<T>`(
    select ${sql.raw(what)} from ${downloads} as other
    where other.shared_from = ${downloads}.id and other.removed_at is null
  )`

const sharedAt = ofSharers<string | null>('max(other.ended_at)')

/** By any of those who have the file. */
const isProtected = sql<number>`(${downloads.isProtected} or coalesce(${ofSharers('max(other.is_protected)')}, 0))`

/** One bound value, however many they are: D1 binds at most a hundred. */
const isAmong = (ids: readonly string[]) =>
  sql`${downloads.id} in (select value from json_each(${JSON.stringify(ids)}))`

/** When somebody last got the file, in ms. */
const sinceOf = (endedAt: string | null, sharedAt: string | null): number =>
  Math.max(timeOf(endedAt), timeOf(sharedAt))

const timeOf = (instant: string | null): number => (instant === null ? 0 : Date.parse(instant))
