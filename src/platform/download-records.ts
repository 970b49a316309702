import { and, count, desc, eq, inArray, isNull, ne, or, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import {
  Download,
  type DownloadStatus,
  type Failure,
  type PlacedFile,
  type VideoMetadata,
} from '#contract/downloads.ts'

import { itemUrl } from '../plex/parse.ts'
import type { DownloadStore, NewDownload } from '../youtube/ports.ts'
import { downloads } from './tables.ts'

type Row = typeof downloads.$inferSelect

/** A download that D1 says is not over. */
export type Unfinished = NewDownload & Pick<Row, 'status' | 'attempt'>

/**
 * What the queue writes down as a download goes along, each in one statement. None undoes an end, and each answers
 * whether it was news, so that nobody is told twice.
 */
export type DownloadRecords = ReturnType<typeof createDownloadRecords>

const beforeScan = ['queued', 'running', 'retrying'] as const satisfies DownloadStatus[]
const maxAdopted = 1_000

export function createDownloadRecords(db: DrizzleD1Database, machineIdentifier: string) {
  const change = async (id: string, values: Partial<Row>, ...conditions: (SQL | undefined)[]) => {
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

    unfinished: async (): Promise<Unfinished[]> =>
      db.select().from(downloads).where(isNull(downloads.endedAt)).limit(maxAdopted),

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

/** Downloads as their owners ask for them. */
export function createDownloadStore(db: DrizzleD1Database, machineIdentifier: string): DownloadStore {
  const activeOf = async (userId: string, videoId: string): Promise<string | undefined> => {
    const [row] = await db
      .select({ id: downloads.id })
      .from(downloads)
      .where(and(eq(downloads.userId, userId), eq(downloads.videoId, videoId), isNull(downloads.endedAt)))
      .limit(1)
    return row?.id
  }

  return {
    activeOf,

    async insert(download) {
      const [row] = await db
        .insert(downloads)
        .values({ ...download, status: 'queued', attempt: 1 })
        .onConflictDoNothing()
        .returning({ id: downloads.id })
      return row ? undefined : ((await activeOf(download.userId, download.videoId)) ?? download.id)
    },

    async withdraw(id) {
      await db.delete(downloads).where(and(eq(downloads.id, id), eq(downloads.status, 'queued')))
    },

    async find(userId, id) {
      const [row] = await db
        .select()
        .from(downloads)
        .where(and(eq(downloads.id, id), eq(downloads.userId, userId)))
        .limit(1)
      return row && toDownload(row, machineIdentifier)
    },

    async list(userId, { status, offset, limit }) {
      const mine = and(eq(downloads.userId, userId), ...(status ? [eq(downloads.status, status)] : []))
      const [rows, [counted]] = await db.batch([
        db
          .select()
          .from(downloads)
          .where(mine)
          .orderBy(desc(downloads.createdAt), desc(downloads.id))
          .limit(limit)
          .offset(offset),
        db.select({ total: count() }).from(downloads).where(mine),
      ])
      return { downloads: rows.map((row) => toDownload(row, machineIdentifier)), total: counted?.total ?? 0 }
    },
  }
}

const progressOf = (status: DownloadStatus) => (status === 'completed' || status === 'scanning' ? 100 : 0)

function toDownload({ userId: _userId, ratingKey, ...row }: Row, machineIdentifier: string): Download {
  const present = Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null))
  const plex = ratingKey === null ? {} : { plex: { ratingKey, url: itemUrl(machineIdentifier, ratingKey) } }
  return Download.parse({ ...present, progress: progressOf(row.status), ...plex })
}
