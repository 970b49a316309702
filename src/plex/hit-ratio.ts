/** How many reads were answered from the cache, at once, and how many had to wait for Plex. */
export type Reads = { readonly cached: number; readonly asked: number }

export type HitRatio = {
  /** Absent when nothing was read. */
  readonly hitRatio?: number
  readonly reads: number
  readonly hours: number
}

/** Reads by the hour in which they were counted, in hours since 1970. */
export type ReadsByHour = Readonly<Record<string, Reads>>

const hours = 24
const hourOf = (now: number) => Math.floor(now / 3_600_000)

/** Adds what was read, and forgets what is older than a day. */
export function addReads(known: ReadsByHour, { cached, asked }: Reads, now: number): ReadsByHour {
  const hour = hourOf(now)
  const before = known[hour] ?? { cached: 0, asked: 0 }
  const sum = { cached: before.cached + cached, asked: before.asked + asked }
  return Object.fromEntries([...lately(known, now), [hour, sum]])
}

export function hitRatioOf(known: ReadsByHour, now: number): HitRatio {
  const all = lately(known, now).map(([, reads]) => reads)
  const cached = all.reduce((sum, reads) => sum + reads.cached, 0)
  const reads = all.reduce((sum, { asked }) => sum + asked, cached)
  return { ...(reads > 0 && { hitRatio: Math.round((1_000 * cached) / reads) / 1_000 }), reads, hours }
}

const lately = (known: ReadsByHour, now: number) =>
  Object.entries(known).filter(([hour]) => Number(hour) > hourOf(now) - hours)
