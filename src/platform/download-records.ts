import { and, count, desc, eq, inArray, ne, sql } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import {
  activeStatuses,
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

/** What the queue writes down as a download goes along. Each is one statement; none undoes an end. */
export type DownloadRecords = ReturnType<typeof createDownloadRecords>

export function createDownloadRecords(db: DrizzleD1Database, machineIdentifier: string) {
  const stillActive = (id: string) => and(eq(downloads.id, id), inArray(downloads.status, activeStatuses))
  const change = async (id: string, values: Partial<Row>) => {
    await db.update(downloads).set(values).where(stillActive(id))
  }

  return {
    find: async (ids: readonly string[]): Promise<Download[]> => {
      if (ids.length === 0) return []
      const rows = await db
        .select()
        .from(downloads)
        .where(inArray(downloads.id, [...ids].slice(0, 100)))
      return rows.map((row) => toDownload(row, machineIdentifier))
    },

    unfinished: async (): Promise<NewDownload[]> =>
      db
        .select()
        .from(downloads)
        .where(inArray(downloads.status, ['queued', 'running', 'retrying']))
        .limit(100),

    started: (
      id: string,
      { title, channel, durationSeconds, thumbnail }: VideoMetadata,
      attempt: number,
      at: number,
    ) =>
      change(id, {
        status: 'running',
        attempt,
        title,
        startedAt: new Date(at).toISOString(),
        failure: null,
        ...(channel !== undefined && { channel }),
        ...(durationSeconds !== undefined && { durationSeconds }),
        ...(thumbnail !== undefined && { thumbnail }),
      }),

    scanning: (id: string, file: PlacedFile) => change(id, { status: 'scanning', file }),

    retrying: (id: string, failure: Failure, attempt: number) =>
      change(id, { status: 'retrying', failure, attempt }),

    failed: (id: string, failure: Failure, at: number) =>
      change(id, { status: 'failed', failure, endedAt: new Date(at).toISOString() }),

    cancelled: (id: string, at: number) =>
      change(id, { status: 'cancelled', endedAt: new Date(at).toISOString() }),

    /** `undefined` when that was known already, so that nobody is told twice. */
    completed: async (id: string, ratingKey: string | undefined, at: number) => {
      const values = {
        status: 'completed',
        endedAt: new Date(at).toISOString(),
        ...(ratingKey && { ratingKey }),
      } as const
      const news = ratingKey ? sql`${downloads.ratingKey} is null` : ne(downloads.status, 'completed')
      const [row] = await db
        .update(downloads)
        .set(values)
        .where(and(eq(downloads.id, id), inArray(downloads.status, ['scanning', 'completed']), news))
        .returning({ userId: downloads.userId, file: downloads.file })
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
      .where(
        and(
          eq(downloads.userId, userId),
          eq(downloads.videoId, videoId),
          inArray(downloads.status, activeStatuses),
        ),
      )
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
