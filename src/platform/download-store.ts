import { and, eq, isNull, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { DownloadStore, Scope } from '../youtube/ports.ts'
import { toDownload } from './download-row.ts'
import { downloads } from './tables.ts'

type NewRow = typeof downloads.$inferInsert

/** Downloads as their owners, and admins, ask for them. */
export function createDownloadStore(db: DrizzleD1Database, machineIdentifier: string): DownloadStore {
  const activeOf = async (userId: string, videoId: string): Promise<string | undefined> => {
    const [row] = await db
      .select({ id: downloads.id })
      .from(downloads)
      .where(and(eq(downloads.userId, userId), eq(downloads.videoId, videoId), isNull(downloads.endedAt)))
      .limit(1)
    return row?.id
  }

  const insert = async (row: NewRow) => {
    const [stored] = await db
      .insert(downloads)
      .values(row)
      .onConflictDoNothing()
      .returning({ id: downloads.id })
    if (stored) return 'stored'
    const active = await activeOf(row.userId, row.videoId)
    return active === undefined || active === row.id ? 'known' : { active }
  }

  return {
    activeOf,

    insert: (download) => insert({ ...download, status: 'queued', attempt: 1 }),

    insertShared: (download, from) =>
      insert({
        ...download,
        status: 'completed',
        attempt: 1,
        sharedFrom: from.id,
        title: from.title,
        channel: from.channel,
        durationSeconds: from.durationSeconds,
        thumbnail: from.thumbnail,
        file: from.file,
        selection: from.selection,
        warnings: from.warnings,
        ratingKey: from.plex?.ratingKey,
        endedAt: download.createdAt,
      }),

    async withdraw(id) {
      await db.delete(downloads).where(and(eq(downloads.id, id), eq(downloads.status, 'queued')))
    },

    async find(scope, id) {
      const [row] = await db
        .select()
        .from(downloads)
        .where(and(eq(downloads.id, id), within(scope)))
        .limit(1)
      return row && toDownload(row, machineIdentifier)
    },
  }
}

export const within = (scope: Scope): SQL | undefined =>
  scope === 'all' ? undefined : eq(downloads.userId, scope.userId)
