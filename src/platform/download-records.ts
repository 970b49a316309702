import { and, eq, inArray, isNotNull, isNull, ne, not, or, sql, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { Download, PlacedFile, VideoMetadata } from '#contract/downloads.ts'
import type { Failure } from '#contract/failures.ts'
import type { Selection, Warning } from '#contract/selection.ts'

import type { NewDownload, Removal } from '../youtube/ports.ts'
import { toDownload, type DownloadRow } from './download-row.ts'
import { letGo, putInPlace, sharersOf, takenOver } from './shared-files.ts'
import { downloads } from './tables.ts'

/** What is known of a file once it is in place. */
export type Placed = {
  readonly file: PlacedFile
  readonly selection?: Selection | undefined
  readonly warnings?: Warning[] | undefined
  readonly plexPath: string
  readonly downloaderId: string
}

/** A download that D1 says is not over. */
export type Unfinished = NewDownload & Pick<DownloadRow, 'status' | 'attempt'>

/**
 * What the queue writes down as a download goes along, each in one statement. None undoes an end, and each answers
 * whether it was news, so that nobody is told twice.
 */
export type DownloadRecords = ReturnType<typeof createDownloadRecords>

const maxAdopted = 1_000
/** D1 binds at most a hundred values. */
export const mostPlaces = 90

export function createDownloadRecords(db: DrizzleD1Database, machineIdentifier: string) {
  const changed = (id: string, values: Partial<DownloadRow>, ...conditions: (SQL | undefined)[]) =>
    db
      .update(downloads)
      .set(values)
      .where(and(eq(downloads.id, id), isNull(downloads.endedAt), ...conditions))
      .returning({ id: downloads.id })
  const change = async (...what: Parameters<typeof changed>) => (await changed(...what)).length > 0
  const iso = (at: number) => new Date(at).toISOString()

  return {
    find: async (ids: readonly string[]): Promise<Download[]> => {
      if (ids.length === 0) return []
      const rows = await db
        .select()
        .from(downloads)
        .where(inArray(downloads.id, [...ids].slice(0, 100)))
      return rows.map((row) => toDownload(row, machineIdentifier))
    },

    unfinished: async (): Promise<{ readonly rows: Unfinished[]; readonly isAll: boolean }> => {
      const rows = await db.select().from(downloads).where(isNull(downloads.endedAt)).limit(maxAdopted)
      return {
        rows: rows.map((row) => ({ ...toDownload(row, machineIdentifier), userId: row.userId })),
        isAll: rows.length < maxAdopted,
      }
    },

    started: (id: string, attempt: number, metadata: VideoMetadata, at: number) => {
      const { title, channel, durationSeconds, thumbnail } = metadata
      return change(
        id,
        {
          status: 'running',
          attempt,
          title,
          startedAt: iso(at),
          failure: null,
          ...(channel !== undefined && { channel }),
          ...(durationSeconds !== undefined && { durationSeconds }),
          ...(thumbnail !== undefined && { thumbnail }),
        },
        or(ne(downloads.status, 'running'), ne(downloads.attempt, attempt)),
      )
    },

    scanning: async (id: string, placed: Placed): Promise<boolean> => {
      const { file, plexPath, downloaderId, selection = null, warnings = null } = placed
      const [news] = await db.batch([
        changed(id, {
          status: 'scanning',
          failure: null,
          file,
          selection,
          warnings,
          plexPath,
          downloaderId,
          bytes: file.bytes,
        }),
        ...takenOver(db, id, placed),
      ])
      return news.length > 0
    },

    retrying: (id: string, failure: Failure, attempt: number) =>
      change(id, { status: 'retrying', failure, attempt }),

    failed: (id: string, failure: Failure, at: number) =>
      change(id, { status: 'failed', failure, endedAt: iso(at) }),

    /** The download as it was when it ended so, or nothing when it had ended before. */
    cancelled: async (id: string, userId: string, at: number): Promise<DownloadRow | undefined> => {
      const [row] = await db
        .update(downloads)
        .set({ status: 'cancelled', endedAt: iso(at) })
        .where(and(eq(downloads.id, id), eq(downloads.userId, userId), isNull(downloads.endedAt)))
        .returning()
      return row
    },

    completed: async (
      id: string,
      ratingKey: string | undefined,
      at: number,
    ): Promise<DownloadRow | undefined> => {
      const [row] = await db
        .update(downloads)
        .set({ status: 'completed', endedAt: iso(at), ...(ratingKey !== undefined && { ratingKey }) })
        .where(and(eq(downloads.id, id), eq(downloads.status, 'scanning')))
        .returning()
      return row
    },

    /** Completes a download with the file of another that has asked for the same. */
    shared: async (id: string, from: DownloadRow, at: number): Promise<DownloadRow | undefined> => {
      const { title, channel, durationSeconds, thumbnail, file, selection, warnings, ratingKey } = from
      const [row] = await db
        .update(downloads)
        .set({
          status: 'completed',
          sharedFrom: from.id,
          failure: null,
          endedAt: iso(at),
          title,
          channel,
          durationSeconds,
          thumbnail,
          file,
          selection,
          warnings,
          ratingKey,
        })
        .where(and(eq(downloads.id, id), isNull(downloads.endedAt)))
        .returning()
      return row
    },

    /** Plex shows it after all, though nobody waited for that any more. Answers all who have that file. */
    shown: (id: string, ratingKey: string): Promise<DownloadRow[]> =>
      db
        .update(downloads)
        .set({ ratingKey })
        .where(and(hasFileOf(id), eq(downloads.status, 'completed'), isNull(downloads.ratingKey)))
        .returning(),

    /** Its file has left the library. Answers all who had it. */
    removed: (
      { downloadId, downloaderId, plexPath }: Removal,
      at: number,
    ): Promise<{ id: string; userId: string }[]> =>
      db
        .update(downloads)
        .set({ removedAt: iso(at) })
        .where(
          and(
            isNotNull(downloads.file),
            isNull(downloads.removedAt),
            or(
              // A file that was a stray is not the one they share.
              and(eq(downloads.sharedFrom, downloadId), not(liesElsewhere(downloadId, plexPath))),
              // Since then it may have been asked for again, and lie elsewhere.
              and(
                eq(downloads.id, downloadId),
                eq(downloads.downloaderId, downloaderId),
                eq(downloads.plexPath, plexPath),
              ),
            ),
          ),
        )
        .returning({ id: downloads.id, userId: downloads.userId }),

    /** Who has a file at one of these places, at most `mostPlaces` of them. */
    placesOf: async (plexPaths: readonly string[]) => {
      if (plexPaths.length === 0) return []
      return db
        .select({ id: downloads.id, plexPath: downloads.plexPath })
        .from(downloads)
        .where(
          and(
            inArray(downloads.plexPath, [...plexPaths]),
            inArray(downloads.status, ['scanning', 'completed']),
            isNull(downloads.removedAt),
          ),
        )
    },

    /** Whether that place in the library is somebody else’s. What lies there now is theirs then. */
    isOthers: async (id: string, plexPath: string, file: PlacedFile): Promise<boolean> =>
      (await db.batch(putInPlace(db, id, plexPath, file)))[1].length > 0,

    /** A download that is over loses its file to whoever shares it. Answers whether anybody does. */
    handedOver: async (id: string, at: number): Promise<boolean> => {
      if ((await sharersOf(db, id)).length === 0) return false
      await db.batch(letGo(db, id, iso(at)))
      return true
    },

    row: async (id: string): Promise<DownloadRow | undefined> => {
      const [row] = await db.select().from(downloads).where(eq(downloads.id, id)).limit(1)
      return row
    },
  }
}

const liesElsewhere = (id: string, plexPath: string) => sql`exists (
  select 1 from ${downloads} as other where other.id = ${id} and other.plex_path <> ${plexPath}
)`

const hasFileOf = (id: string) => or(eq(downloads.id, id), eq(downloads.sharedFrom, id))
