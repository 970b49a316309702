import { and, eq, gte, inArray, isNotNull, isNull, lt, or, sql, sum, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { Download } from '#contract/downloads.ts'
import { audioFormats } from '#contract/options.ts'

import type { DownloadStore, Scope, Share } from '../youtube/ports.ts'
import { toDownload, type DownloadRow } from './download-row.ts'
import { downloads } from './tables.ts'

type NewRow = typeof downloads.$inferInsert

/** D1 binds at most a hundred values; some queries bind each id twice. */
const idsPerQuery = 45
/** Likewise, and a row that shares a file fills most of its columns. */
const rowsPerQuery = 4
/** A conflict whose cause is gone by the time it is looked at: the next try meets another, or none. */
const maxTries = 3

/** Downloads as their owners, and admins, ask for them. */
export function createDownloadStore(db: DrizzleD1Database, machineIdentifier: string): DownloadStore {
  const activeOf = async (
    userId: string,
    videoIds: readonly string[],
  ): Promise<ReadonlyMap<string, string>> => {
    const found = new Map<string, string>()
    for (const batch of batchesOf(videoIds, idsPerQuery)) {
      const rows = await db
        .select({ id: downloads.id, videoId: downloads.videoId })
        .from(downloads)
        .where(
          and(eq(downloads.userId, userId), inArray(downloads.videoId, batch), isNull(downloads.endedAt)),
        )
      for (const { id, videoId } of rows) found.set(videoId, id)
    }
    return found
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
      const active = (await activeOf(row.userId, [row.videoId])).get(row.videoId)
      if (active !== undefined) return { active }
    }
    throw new Error('a download can neither be stored nor found')
  }

  const shown = (row: DownloadRow): Download => toDownload(row, machineIdentifier)

  return {
    activeOf,

    insert: (download) => insert({ ...download, status: 'queued', attempt: 1 }),

    async insertShared(shares) {
      const stored: Download[] = []
      for (const batch of batchesOf(shares.map(sharedRow), rowsPerQuery)) {
        const rows = await db.insert(downloads).values(batch).onConflictDoNothing().returning()
        stored.push(...rows.map(shown))
      }
      return stored
    },

    async withdraw(id) {
      await db.delete(downloads).where(and(eq(downloads.id, id), eq(downloads.status, 'queued')))
    },

    async find(scope, id) {
      const [row] = await db
        .select()
        .from(downloads)
        .where(and(eq(downloads.id, id), within(scope)))
        .limit(1)
      return row && shown(row)
    },

    async findByStem(userId, stem) {
      const isOfStem = and(gte(downloads.id, stem), lt(downloads.id, `${stem}~`))
      const rows = await db
        .select()
        .from(downloads)
        .where(and(eq(downloads.userId, userId), isOfStem))
      return rows.map(shown)
    },

    async placed(userId, ids) {
      const found: Download[] = []
      for (const batch of batchesOf(ids, idsPerQuery)) {
        const isMine = and(eq(downloads.userId, userId), inArray(downloads.sharedFrom, batch))
        const rows = await db
          .select()
          .from(downloads)
          .where(
            and(
              or(inArray(downloads.id, batch), isMine),
              eq(downloads.status, 'completed'),
              // No library of films shows sound.
              or(isNotNull(downloads.ratingKey), inArray(downloads.format, audioFormats)),
              isNull(downloads.removedAt),
            ),
          )
        found.push(...rows.map(shown))
      }
      return found
    },

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

function sharedRow({ download, from }: Share) {
  return {
    ...download,
    status: 'completed' as const,
    attempt: 1,
    // Its own file may have been replaced by another’s since.
    sharedFrom: sql`coalesce((select shared_from from ${downloads} where id = ${from.id}), ${from.id})`,
    title: from.title,
    channel: from.channel,
    durationSeconds: from.durationSeconds,
    thumbnail: from.thumbnail,
    file: from.file,
    selection: from.selection,
    warnings: from.warnings,
    ratingKey: from.plex?.ratingKey,
    endedAt: download.createdAt,
  }
}

function batchesOf<T>(all: readonly T[], size: number): T[][] {
  const starts = Array.from({ length: Math.ceil(all.length / size) }, (_, index) => index * size)
  return starts.map((start) => all.slice(start, start + size))
}
