import {
  and,
  asc,
  count,
  desc,
  eq,
  gte,
  inArray,
  isNotNull,
  isNull,
  lte,
  or,
  sql,
  type AnyColumn,
  type SQL,
} from 'drizzle-orm'
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
        // Who has inherited a file has a row like any other, but never began.
        .where(and(mine, completed, isNull(downloads.sharedFrom), isNotNull(downloads.startedAt)))
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

/** Not by LIKE: D1 takes patterns of fifty bytes at most. */
function containing(q: string): SQL | undefined {
  const typed = asciiLower(q.normalize('NFC'))
  const spellings = otherSpellings(typed)
  const wanted = spellings.reduce((text, [other, small]) => text.replaceAll(other, small), typed)
  const columns = [downloads.title, downloads.channel, downloads.videoId]
  return or(...columns.map((column) => sql`instr(${inSmall(column, spellings)}, ${wanted}) > 0`))
}

type Spelling = readonly [other: string, small: string]

/** SQLite’s `lower` knows only the letters of ASCII: others that are looked for are made small one by one. */
const inSmall = (column: AnyColumn, spellings: readonly Spelling[]): SQL =>
  spellings.reduce(
    (text, [other, small]) => sql`replace(${text}, ${literal(other)}, ${literal(small)})`,
    sql`lower(${column})`,
  )

/** By number: of parameters D1 takes a hundred. */
const literal = (text: string): SQL =>
  sql.raw(`char(${Array.from(text, (character) => character.codePointAt(0)).join()})`)

/** D1 takes expressions within one another a hundred deep. */
const maxSpellings = 64

/** How else the letters outside of ASCII are written that a text has. */
function otherSpellings(text: string): Spelling[] {
  const all = Array.from(text).flatMap((letter) => {
    const capital = letter.toUpperCase()
    const small = capital.toLowerCase()
    // The one letter with a form of its own at the end of a word.
    const others = [letter, capital, ...(small === 'σ' ? ['ς'] : [])]
    return others
      .filter((other) => /\P{ASCII}/u.test(other) && other !== small)
      .map((other) => [other, small] as const)
  })
  return [...new Map(all)].slice(0, maxSpellings)
}

const asciiLower = (text: string): string => text.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
