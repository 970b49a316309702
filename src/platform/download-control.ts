import { and, desc, eq, inArray, isNotNull, isNull, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { ControlStore } from '../youtube/history-ports.ts'
import type { NewDownload } from '../youtube/ports.ts'
import { toDownload, type DownloadRow } from './download-row.ts'
import { within } from './download-store.ts'
import { inherited, letGo, removalOf, sharersOf } from './shared-files.ts'
import { downloads } from './tables.ts'

/** What is done to downloads that lie still, each in one transaction that looks again whether it may be done. */
export function createDownloadControl(db: DrizzleD1Database, machineIdentifier: string): ControlStore {
  const downloadOf = (row: DownloadRow) => toDownload(row, machineIdentifier)

  const activeOf = async (userId: string, videoId: string): Promise<string | undefined> => {
    const [row] = await db
      .select({ id: downloads.id })
      .from(downloads)
      .where(and(eq(downloads.userId, userId), eq(downloads.videoId, videoId), isNull(downloads.endedAt)))
      .limit(1)
    return row?.id
  }

  const reopen = (id: string) =>
    db
      .update(downloads)
      .set(fromTheBeginning)
      .where(and(eq(downloads.id, id), inArray(downloads.status, ['failed', 'cancelled']), noneActive))
      .returning()

  const ended = (id: string) => and(eq(downloads.id, id), isNotNull(downloads.endedAt))

  return {
    activeOf,

    async held(scope, id) {
      const [rows, shared] = await db.batch([
        db
          .select()
          .from(downloads)
          .where(and(eq(downloads.id, id), within(scope)))
          .limit(1),
        sharersOf(db, id),
      ])
      const [row] = rows
      if (!row) return undefined
      const removal = removalOf(row)
      return {
        ownerId: row.userId,
        download: downloadOf(row),
        hasSharers: shared.length > 0,
        ...(removal && { removal }),
        ...(row.sharedFrom !== null && { sharedFrom: row.sharedFrom }),
      }
    },

    async lastFailed(scope, codes, limit) {
      const ranked = db
        .select({
          id: downloads.id,
          rank: sql<number>`row_number() over (partition by ${downloads.userId}, ${downloads.videoId} order by ${downloads.createdAt} desc, ${downloads.id} desc)`.as(
            'rank',
          ),
        })
        .from(downloads)
        .where(within(scope))
        .as('ranked')
      const rows = await db
        .select({ row: downloads })
        .from(ranked)
        .innerJoin(downloads, eq(downloads.id, ranked.id))
        .where(
          and(
            eq(ranked.rank, 1),
            eq(downloads.status, 'failed'),
            inArray(sql`json_extract(${downloads.failure}, '$.code')`, [...codes]),
          ),
        )
        .orderBy(desc(downloads.createdAt), desc(downloads.id))
        .limit(limit)
      return rows.map(({ row }) => downloadOf(row))
    },

    async reopen(ids) {
      const [first, ...rest] = ids.map(reopen)
      if (!first) return []
      const results = await db.batch([first, ...rest])
      return results.flat().map((row): NewDownload => ({ ...downloadOf(row), userId: row.userId }))
    },

    async protect(id, isProtected) {
      await db.update(downloads).set({ isProtected }).where(eq(downloads.id, id))
    },

    async forget(id) {
      const [, heirs] = await db.batch([...inherited(db, id), db.delete(downloads).where(ended(id))])
      return heirs[0]
    },

    async forgetWithFile(id) {
      await db.delete(downloads).where(ended(id))
    },

    async letGo(id, at) {
      const [, heirs] = await db.batch(letGo(db, id, at))
      return heirs[0]
    },
  }
}

const fromTheBeginning = {
  status: 'queued',
  attempt: 1,
  failure: null,
  file: null,
  selection: null,
  warnings: null,
  ratingKey: null,
  plexPath: null,
  downloaderId: null,
  bytes: null,
  sharedFrom: null,
  removedAt: null,
  startedAt: null,
  endedAt: null,
} as const satisfies Partial<DownloadRow>

const noneActive = sql`not exists (
  select 1 from ${downloads} as other
  where other.user_id = ${downloads.userId} and other.video_id = ${downloads.videoId} and other.ended_at is null
)`
