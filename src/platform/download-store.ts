import { and, eq, inArray, isNotNull, isNull, or, sum, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { Download } from '#contract/downloads.ts'

import type { DownloadStore, Scope } from '../youtube/ports.ts'
import { toDownload } from './download-row.ts'
import { downloads } from './tables.ts'

type NewRow = typeof downloads.$inferInsert

/** D1 binds at most a hundred values; some queries bind each id twice. */
const idsPerQuery = 45
/** A conflict whose cause is gone by the time it is looked at: the next try meets another, or none. */
const maxTries = 3

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
    for (let tries = 0; tries < maxTries; tries += 1) {
      const [stored] = await db
        .insert(downloads)
        .values(row)
        .onConflictDoNothing()
        .returning({ id: downloads.id })
      if (stored) return 'stored'
      const [known] = await db.select({ id: downloads.id }).from(downloads).where(eq(downloads.id, row.id))
      if (known) return 'known'
      const active = await activeOf(row.userId, row.videoId)
      if (active !== undefined) return { active }
    }
    throw new Error('a download can neither be stored nor found')
  }

  const inBatches = async (
    ids: readonly string[],
    where: (batch: string[]) => SQL | undefined,
  ): Promise<Download[]> => {
    const found: Download[] = []
    for (let start = 0; start < ids.length; start += idsPerQuery) {
      const batch = ids.slice(start, start + idsPerQuery)
      const rows = await db.select().from(downloads).where(where(batch))
      found.push(...rows.map((row) => toDownload(row, machineIdentifier)))
    }
    return found
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

    findAll: (userId, ids) =>
      inBatches(ids, (batch) => and(eq(downloads.userId, userId), inArray(downloads.id, batch))),

    placed: (userId, ids) =>
      inBatches(ids, (batch) =>
        and(
          or(
            inArray(downloads.id, batch),
            and(eq(downloads.userId, userId), inArray(downloads.sharedFrom, batch)),
          ),
          eq(downloads.status, 'completed'),
          isNotNull(downloads.ratingKey),
          isNull(downloads.removedAt),
        ),
      ),

    async bytesOf(scope) {
      const [row] = await db
        .select({ bytes: sum(downloads.bytes).mapWith(Number) })
        .from(downloads)
        .where(and(within(scope), isNotNull(downloads.bytes), isNull(downloads.removedAt)))
      return row?.bytes ?? 0
    },
  }
}

export const within = (scope: Scope): SQL | undefined =>
  scope === 'all' ? undefined : eq(downloads.userId, scope.userId)
