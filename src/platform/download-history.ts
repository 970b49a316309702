import { and, asc, count, desc, eq, gte, inArray, isNull, lte, or, sql, type SQL } from 'drizzle-orm'
import type { DrizzleD1Database } from 'drizzle-orm/d1'

import { FailureCode } from '#contract/failures.ts'

import type { HistoryFilter, HistoryStore } from '../youtube/history-ports.ts'
import { toDownload } from './download-row.ts'
import { within } from './download-store.ts'
import { downloads } from './tables.ts'

/** Downloads as they are looked back on. A person’s are found by the index on user and time, nobody else’s are read. */
export function createDownloadHistory(db: DrizzleD1Database, machineIdentifier: string): HistoryStore {
  return {
    async find(scope, id) {
      const [row] = await db
        .select()
        .from(downloads)
        .where(and(eq(downloads.id, id), within(scope)))
        .limit(1)
      return row && toDownload(row, machineIdentifier)
    },

    async list(scope, { offset, limit, ...filter }) {
      const wanted = and(within(scope), ...matching(filter))
      const [rows, [counted]] = await db.batch([
        db
          .select()
          .from(downloads)
          .where(wanted)
          .orderBy(desc(downloads.createdAt), desc(downloads.id))
          .limit(limit)
          .offset(offset),
        db.select({ total: count() }).from(downloads).where(wanted),
      ])
      return { downloads: rows.map((row) => toDownload(row, machineIdentifier)), total: counted?.total ?? 0 }
    },

    async statistics(scope, since) {
      const mine = within(scope)
      const completed = eq(downloads.status, 'completed')
      const acceptedDay = dayOf(downloads.createdAt)
      const endedDay = dayOf(downloads.endedAt)
      const code = sql<unknown>`json_extract(${downloads.failure}, '$.code')`
      const times = db
        .select({
          seconds: seconds.as('seconds'),
          place: sql<number>`row_number() over (order by ${seconds})`.as('place'),
          number: sql<number>`count(*) over ()`.as('number'),
        })
        .from(downloads)
        .where(and(mine, completed, isNull(downloads.sharedFrom)))
        .as('times')
      const [statuses, qualities, accepted, ended, failures, [median]] = await db.batch([
        db
          .select({ status: downloads.status, count: count(), bytes, libraryBytes })
          .from(downloads)
          .where(mine)
          .groupBy(downloads.status),
        db
          .select({ quality: downloads.quality, count: count(), bytes })
          .from(downloads)
          .where(and(mine, completed))
          .groupBy(downloads.quality),
        db
          .select({ day: acceptedDay, count: count() })
          .from(downloads)
          .where(and(mine, gte(downloads.createdAt, since)))
          .groupBy(acceptedDay),
        db
          .select({ day: endedDay, status: downloads.status, count: count(), bytes })
          .from(downloads)
          .where(and(mine, gte(downloads.endedAt, since)))
          .groupBy(endedDay, downloads.status),
        db
          .select({ code, count: count() })
          .from(downloads)
          .where(and(mine, eq(downloads.status, 'failed')))
          .groupBy(code)
          .orderBy(asc(code)),
        // The middle one, or the mean of the two in the middle.
        db
          .select({ seconds: sql<number | null>`avg(${times.seconds})` })
          .from(times)
          .where(sql`${times.place} in ((${times.number} + 1) / 2, (${times.number} + 2) / 2)`),
      ])
      return {
        statuses,
        qualities,
        accepted,
        ended,
        failures: failures.flatMap((row) => {
          const known = FailureCode.safeParse(row.code).data
          return known === undefined ? [] : [{ code: known, count: row.count }]
        }),
        medianSeconds: median?.seconds ?? undefined,
      }
    },
  }
}

const bytes = sql<number>`coalesce(sum(${downloads.bytes}), 0)`
const libraryBytes = sql<number>`coalesce(sum(${downloads.bytes}) filter (where ${downloads.removedAt} is null), 0)`
const seconds = sql<number>`unixepoch(${downloads.endedAt}, 'subsec') - unixepoch(${downloads.createdAt}, 'subsec')`
const dayOf = (column: typeof downloads.createdAt | typeof downloads.endedAt) =>
  sql<string>`substr(${column}, 1, 10)`

function matching({
  q,
  status,
  from,
  to,
}: Omit<HistoryFilter, 'offset' | 'limit'>): readonly (SQL | undefined)[] {
  return [
    q === undefined ? undefined : containing(q),
    status === undefined ? undefined : inArray(downloads.status, [...status]),
    from === undefined ? undefined : gte(downloads.createdAt, from),
    to === undefined ? undefined : lte(downloads.createdAt, to),
  ]
}

/**
 * Not by LIKE: D1 takes patterns of fifty bytes at most. SQLite’s `lower` knows only the letters of ASCII, so others are
 * looked for as they are commonly written.
 */
function containing(q: string): SQL | undefined {
  const columns = [downloads.title, downloads.channel, downloads.videoId]
  return or(
    ...spellings(q).flatMap((spelling) =>
      columns.map((column) => sql`instr(lower(${column}), lower(${spelling})) > 0`),
    ),
  )
}

function spellings(q: string): string[] {
  const typed = q.normalize('NFC')
  const small = typed.toLowerCase()
  const words = small.replaceAll(/(?<!\p{L})\p{L}/gu, (letter) => letter.toUpperCase())
  const sentence = small.replace(/\p{L}/u, (letter) => letter.toUpperCase())
  const all = [typed, small, typed.toUpperCase(), words, sentence]
  return [...new Map(all.map((each) => [asciiLower(each), each])).values()]
}

const asciiLower = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
