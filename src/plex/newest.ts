import { integer, text, type Row } from './container.ts'

/** A row among what is new: an item, or a season that stands for episodes of it. */
export type Newest = { readonly row: Row; readonly atMs: number; readonly episodes?: number }

/** What was read of one library: newest first, and whether that is all there is. */
export type Shelf = { readonly entries: readonly Newest[]; readonly readToMs: number }

const dayMs = 86_400_000

/** The end of that day, in UTC: the start of the next. */
export const dayAfterMs = (atMs: number): number => (Math.floor(atMs / dayMs) + 1) * dayMs

/** When a row was added. Files bring dates of their own: none or zero is the oldest, what is to come is now. */
export function addedAtMs(row: Row, now: number): number {
  return Math.min(Math.max(0, (integer(row['addedAt']) ?? 0) * 1000), now)
}

/**
 * Episodes of one season that came on one day (UTC) are one entry, at the newest of them. A day and not a span of time,
 * so that what belongs together is the same wherever a page begins.
 */
export function groupEpisodes(listed: readonly Row[], now: number): Newest[] {
  const groups = new Map<string, { readonly first: Row; readonly atMs: number; episodes: number }>()
  for (const [index, row] of listed.entries()) {
    const atMs = addedAtMs(row, now)
    const season = text(row['type']) === 'episode' ? text(row['parentRatingKey']) : undefined
    const name = season === undefined ? `row ${index}` : `${season} ${dayAfterMs(atMs)}`
    const known = groups.get(name)
    if (known) known.episodes += 1
    else groups.set(name, { first: row, atMs, episodes: 1 })
  }
  return [...groups.values()].map(({ first, atMs, episodes }) =>
    episodes === 1 ? { row: first, atMs } : { row: seasonOf(first), atMs, episodes },
  )
}

/** The season of an episode, as far as the episode tells. */
function seasonOf(episode: Row): Row {
  return {
    type: 'season',
    ratingKey: episode['parentRatingKey'],
    guid: episode['parentGuid'],
    title: episode['parentTitle'],
    index: episode['parentIndex'],
    thumb: episode['parentThumb'] ?? episode['grandparentThumb'],
    art: episode['grandparentArt'],
    parentRatingKey: episode['grandparentRatingKey'],
    parentTitle: episode['grandparentTitle'],
    librarySectionID: episode['librarySectionID'],
    addedAt: episode['addedAt'],
  }
}

export type MergedPage<T> = {
  readonly entries: readonly T[]
  /** Where the next page begins, if there may be one: all that is older than this. */
  readonly beforeMs?: number
}

/**
 * The newest of all shelves. Nothing older than a shelf was read to can be told, since that shelf may hold something
 * newer; and entries of one instant stay together, so that the next page can begin below it.
 */
export function mergeNewest<T extends Newest>(
  shelves: readonly { readonly entries: readonly T[]; readonly readToMs: number }[],
  limit: number,
): MergedPage<T> {
  const all = shelves.flatMap(({ entries }) => entries).toSorted((a, b) => b.atMs - a.atMs || byKey(a, b))
  const horizon = Math.max(Number.NEGATIVE_INFINITY, ...shelves.map(({ readToMs }) => readToMs))
  const above = all.filter(({ atMs }) => atMs > horizon)
  const known = above.length > 0 ? above : all.filter(({ atMs }) => atMs >= horizon)
  const last = known[Math.min(limit, known.length) - 1]
  if (!last) return { entries: [] }
  const entries = known.filter(({ atMs }, index) => index < limit || atMs === last.atMs)
  if (last.atMs === 0 || (entries.length === all.length && !Number.isFinite(horizon))) return { entries }
  // When all that could be told was told, a season is not begun again for the rest of what stood behind it.
  const beforeMs = entries.length === above.length ? horizon + 1 : last.atMs
  return { entries, beforeMs: Math.min(last.atMs, beforeMs) }
}

function byKey(a: Newest, b: Newest): number {
  return (text(a.row['ratingKey']) ?? '').localeCompare(text(b.row['ratingKey']) ?? '', 'en', {
    numeric: true,
  })
}
