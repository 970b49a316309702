import { and, eq, isNotNull, isNull, sql, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'
import { alias } from 'drizzle-orm/sqlite-core'

import type { PlacedFile } from '#contract/downloads.ts'

import type { Removal } from '../youtube/ports.ts'
import type { DownloadRow } from './download-row.ts'
import { downloads } from './tables.ts'

/*
 * A file in the library belongs to one download, and may be shared by others. Who has `plexPath` has the file, and only
 * they do: no other row may name it.
 */

const other = alias(downloads, 'other')

/** The file of a download that has one of its own. */
export function removalOf(row: DownloadRow): Removal | undefined {
  const { id: downloadId, userId, videoId, downloaderId, plexPath, file } = row
  if (row.sharedFrom !== null || row.removedAt !== null) return undefined
  if (downloaderId === null || plexPath === null || file === null) return undefined
  return { downloadId, userId, videoId, downloaderId, plexPath, file }
}

export const sharersOf = (db: DrizzleD1Database, id: string) =>
  db
    .select({ id: other.id })
    .from(other)
    .where(and(eq(other.sharedFrom, id), isNull(other.removedAt)))
    .limit(1)

/** The oldest that shares the file gets it, and the others share it with that one. */
export function inherited(db: DrizzleD1Database, id: string) {
  const heir: SQL = sql`(
    select other.id from ${downloads} as other
    where other.shared_from = ${id} and other.removed_at is null
    order by other.created_at, other.id limit 1
  )`
  const of = (column: string) =>
    sql`(select ${sql.identifier(column)} from ${downloads} as other where other.id = ${id})`
  const shares = eq(downloads.sharedFrom, id)
  return [
    db
      .update(downloads)
      .set({ sharedFrom: heir })
      .where(and(shares, sql`${downloads.id} <> ${heir}`)),
    db
      .update(downloads)
      .set({
        plexPath: of('plex_path'),
        downloaderId: of('downloader_id'),
        bytes: of('bytes'),
        sharedFrom: null,
      })
      .where(and(shares, isNull(downloads.removedAt)))
      .returning({ downloadId: downloads.id, videoId: downloads.videoId }),
  ] as const
}

/** A download that is over goes on without its file; whoever shared it has it now. */
export const letGo = (db: DrizzleD1Database, id: string, at: string) =>
  [
    ...inherited(db, id),
    db
      .update(downloads)
      .set({ removedAt: at, sharedFrom: null, plexPath: null, downloaderId: null, bytes: null })
      .where(and(eq(downloads.id, id), isNotNull(downloads.endedAt), isNull(downloads.removedAt))),
  ] as const

/** The downloads whose file lies at that place, other than this one. */
const othersAt = (id: string, plexPath: string) => sql`(
  select other.id from ${downloads} as other
  where other.plex_path = ${plexPath} and other.id <> ${id} and other.removed_at is null
    and other.status in ('scanning', 'completed')
)`

/** A file was put into the place of another: those that had the old one share the new one. */
export function takenOver(
  db: DrizzleD1Database,
  id: string,
  { plexPath, file }: { readonly plexPath: string; readonly file: PlacedFile },
) {
  const replaced = othersAt(id, plexPath)
  const isInPlace = sql`exists (
    select 1 from ${downloads} as other where other.id = ${id} and other.plex_path = ${plexPath}
  )`
  const shares = { sharedFrom: id, file }
  return [
    db
      .update(downloads)
      .set(shares)
      .where(and(sql`${downloads.sharedFrom} in ${replaced}`, isInPlace)),
    db
      .update(downloads)
      .set({ ...shares, plexPath: null, downloaderId: null, bytes: null })
      .where(and(sql`${downloads.id} in ${replaced}`, isInPlace)),
  ] as const
}

/** A file was put into the place of another for a download that wants it no more: those that had the old one have it. */
export function putInPlace(db: DrizzleD1Database, id: string, plexPath: string, file: PlacedFile) {
  const replaced = othersAt(id, plexPath)
  return [
    db
      .update(downloads)
      .set({ file })
      .where(sql`${downloads.sharedFrom} in ${replaced}`),
    db
      .update(downloads)
      .set({ file, bytes: file.bytes })
      .where(sql`${downloads.id} in ${replaced}`)
      .returning({ id: downloads.id }),
  ] as const
}
