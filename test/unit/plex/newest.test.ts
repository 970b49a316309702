import fc from 'fast-check'
import { expect, test } from 'vitest'

import { addedAtMs, dayAfterMs, groupEpisodes, mergeNewest, type Newest } from '../../../src/plex/newest.ts'

const now = Date.UTC(2026, 0, 10, 12)
const seconds = (iso: string) => Date.parse(iso) / 1000
const episode = (ratingKey: string, season: string, addedAt: number) => ({
  ratingKey,
  type: 'episode',
  title: `Episode ${ratingKey}`,
  parentRatingKey: season,
  parentTitle: `Season ${season}`,
  parentIndex: Number(season),
  grandparentRatingKey: '900',
  grandparentTitle: 'A Show',
  addedAt,
})

test('a date in the future is now, and one that is none is the oldest there is', () => {
  expect(addedAtMs({ addedAt: seconds('2099-01-01T00:00:00Z') }, now)).toBe(now)
  for (const addedAt of [undefined, null, 0, '0', -5, 'soon', {}]) expect(addedAtMs({ addedAt }, now)).toBe(0)
  expect(addedAtMs({ addedAt: '1700000000' }, now)).toBe(1_700_000_000_000)
})

test('the day after a midnight is the next, and of the moment before it that midnight', () => {
  const midnight = Date.UTC(2026, 0, 10)
  expect(dayAfterMs(midnight)).toBe(Date.UTC(2026, 0, 11))
  expect(dayAfterMs(midnight - 1)).toBe(midnight)
  expect(dayAfterMs(Number.POSITIVE_INFINITY)).toBe(Number.POSITIVE_INFINITY)
})

test('episodes of one season and one day are a season at the newest of them, one alone is itself', () => {
  const at = (time: string) => seconds(`2026-01-0${time}:00Z`)
  const entries = groupEpisodes(
    [
      episode('5', '1', at('9T20:00')),
      episode('6', '2', at('9T19:00')),
      episode('4', '1', at('9T18:00')),
      episode('3', '1', at('8T23:59')),
    ],
    now,
  )
  expect(entries.map(({ row, episodes, atMs }) => [row['type'], row['ratingKey'], episodes, atMs])).toEqual([
    ['season', '1', 2, at('9T20:00') * 1000],
    ['episode', '6', undefined, at('9T19:00') * 1000],
    ['episode', '3', undefined, at('8T23:59') * 1000],
  ])
  expect(entries[0]?.row).toMatchObject({
    title: 'Season 1',
    index: 1,
    parentRatingKey: '900',
    parentTitle: 'A Show',
  })
})

test('films are never put together, and neither are episodes that do not say their season', () => {
  const rows = [
    { type: 'movie', parentRatingKey: '1', addedAt: 5 },
    { type: 'movie', parentRatingKey: '1', addedAt: 5 },
    { type: 'episode', addedAt: 5 },
    { type: 'episode', addedAt: 5 },
  ]
  expect(groupEpisodes(rows, now)).toHaveLength(4)
})

test('nothing is told of the time below which a shelf was not read', () => {
  const entry = (ratingKey: string, atMs: number): Newest => ({ row: { ratingKey }, atMs })
  const merged = mergeNewest(
    [
      { entries: [entry('1', 90), entry('2', 40)], readToMs: Number.NEGATIVE_INFINITY },
      { entries: [entry('3', 80), entry('4', 60)], readToMs: 60 },
    ],
    10,
  )
  expect(merged.entries.map(({ row }) => row['ratingKey'])).toEqual(['1', '3'])
  expect(merged.beforeMs).toBe(61)
  expect(mergeNewest([], 5)).toEqual({ entries: [] })
})

const library = fc.array(
  fc.record({
    addedAt: fc.integer({ min: 1, max: 12 }).map((n) => n * 20_000),
    season: fc.constantFrom('1', '2', ''),
  }),
  { maxLength: 25 },
)

/** A library as Plex would list it: newest first. */
const listed = (rows: readonly { addedAt: number; season: string }[], section: number) =>
  rows
    .map(({ addedAt, season }, index) => ({
      ...episode(`${section}${index}`, `${section}${season}`, addedAt),
      ...(season === '' && { type: 'movie' }),
    }))
    .toSorted((a, b) => b.addedAt - a.addedAt)

test('page by page, however much is read at once, all that is new comes once and in order', () => {
  fc.assert(
    fc.property(
      fc.array(library, { maxLength: 4 }),
      fc.integer({ min: 1, max: 6 }),
      fc.integer({ min: 12, max: 30 }),
      (libraries, limit, readAtOnce) => {
        const sections = libraries.map((rows, index) => listed(rows, index + 1))
        const all = sections.flatMap((rows) => groupEpisodes(rows, now))
        const told: Newest[] = []
        let beforeMs: number | undefined = Number.POSITIVE_INFINITY
        for (let pages = 0; beforeMs !== undefined && pages < 200; pages += 1) {
          const before: number = beforeMs
          const shelves = sections.map((rows) => {
            const below = rows.filter(({ addedAt }) => addedAt * 1000 < dayAfterMs(before - 1))
            // A whole day at least is read at once here; what happens otherwise is another test's.
            const edge = below[Math.min(below.length, readAtOnce) - 1]?.addedAt ?? 0
            const dayStart = dayAfterMs(edge * 1000) - 86_400_000
            const read = below.filter(({ addedAt }) => addedAt * 1000 >= dayStart)
            const isAll = read.length === below.length
            return {
              entries: groupEpisodes(read, now).filter(({ atMs }) => atMs < before),
              readToMs: isAll ? Number.NEGATIVE_INFINITY : dayStart,
            }
          })
          const page = mergeNewest(shelves, limit)
          told.push(...page.entries)
          expect(page.beforeMs ?? 0).toBeLessThan(before)
          beforeMs = page.beforeMs
        }
        expect(told.map(({ atMs }) => atMs)).toEqual(all.map(({ atMs }) => atMs).toSorted((a, b) => b - a))
        const names = (entries: readonly Newest[]) =>
          entries.map(({ row, episodes }) => `${String(row['ratingKey'])} ${episodes ?? 1}`).toSorted()
        expect(names(told)).toEqual(names(all))
      },
    ),
    { numRuns: 300 },
  )
})
