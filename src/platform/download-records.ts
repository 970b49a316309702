import { and, eq, inArray, isNull, ne, or, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { Download } from '#contract/downloads.ts'
import { type DownloadStatus, type PlacedFile, type VideoMetadata } from '#contract/downloads.ts'
import { type Failure } from '#contract/failures.ts'

import type { NewDownload } from '../youtube/ports.ts'
import { toDownload, type DownloadRow } from './download-row.ts'
import { downloads } from './tables.ts'

/** A download that D1 says is not over. */
export type Unfinished = NewDownload & Pick<DownloadRow, 'status' | 'attempt'>

/**
 * What the queue writes down as a download goes along, each in one statement. None undoes an end, and each answers
 * whether it was news, so that nobody is told twice.
 */
export type DownloadRecords = ReturnType<typeof createDownloadRecords>

const beforeScan = ['queued', 'running', 'retrying'] as const satisfies DownloadStatus[]
const maxAdopted = 1_000

export function createDownloadRecords(db: DrizzleD1Database, machineIdentifier: string) {
  const change = async (id: string, values: Partial<DownloadRow>, ...conditions: (SQL | undefined)[]) => {
    const [row] = await db
      .update(downloads)
      .set(values)
      .where(and(eq(downloads.id, id), isNull(downloads.endedAt), ...conditions))
      .returning({ id: downloads.id })
    return row !== undefined
  }
  const owner = { userId: downloads.userId, file: downloads.file }
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

    unfinished: async (): Promise<Unfinished[]> => {
      const rows = await db.select().from(downloads).where(isNull(downloads.endedAt)).limit(maxAdopted)
      return rows.map((row) => ({ ...toDownload(row, machineIdentifier), userId: row.userId }))
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

    scanning: (id: string, file: PlacedFile) => change(id, { status: 'scanning', file, failure: null }),

    retrying: (id: string, failure: Failure, attempt: number) =>
      change(id, { status: 'retrying', failure, attempt }),

    failed: (id: string, failure: Failure, at: number) =>
      change(id, { status: 'failed', failure, endedAt: iso(at) }),

    /** Not once the file is in place: there is nothing left to stop. */
    cancelled: (id: string, userId: string, at: number) =>
      change(
        id,
        { status: 'cancelled', endedAt: iso(at) },
        eq(downloads.userId, userId),
        inArray(downloads.status, beforeScan),
      ),

    completed: async (id: string, ratingKey: string | undefined, at: number) => {
      const [row] = await db
        .update(downloads)
        .set({ status: 'completed', endedAt: iso(at), ...(ratingKey !== undefined && { ratingKey }) })
        .where(and(eq(downloads.id, id), eq(downloads.status, 'scanning')))
        .returning(owner)
      return row
    },

    /** Plex shows it after all, though nobody waited for that any more. */
    shown: async (id: string, ratingKey: string) => {
      const [row] = await db
        .update(downloads)
        .set({ ratingKey })
        .where(and(eq(downloads.id, id), eq(downloads.status, 'completed'), isNull(downloads.ratingKey)))
        .returning(owner)
      return row
    },
  }
}
