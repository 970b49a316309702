import { expect, test } from 'vitest'
import * as z from 'zod'

import type { Row } from '../../../src/plex/container.ts'
import type { PlexDependencies, PlexQuestion } from '../../../src/plex/ports.ts'
import { createReads } from '../../../src/plex/reads.ts'
import { createRecentlyAdded } from '../../../src/plex/recently-added.ts'

const now = Date.UTC(2026, 0, 10)
const start = Date.UTC(2025, 0, 1) / 1000
const caller = { userId: '1', sessionId: 's', role: 'user', scope: '1.1' } as const
const asked = { caller, background: () => undefined }
const Body = z.object({
  data: z.array(
    z.object({ ratingKey: z.string(), addedAt: z.string().optional(), episodes: z.int().optional() }),
  ),
  meta: z.object({ count: z.int(), before: z.string().optional() }),
})

type Library = { readonly type: string; readonly rows: readonly Row[] }

/** A Plex of these libraries, which counts what it is asked, and may not know how to narrow a list by time. */
function createWorld(libraries: readonly Library[], { knowsBounds = true, pageCap = 1_000 } = {}) {
  const world = { calls: 0 }
  const read = async (_userId: string, { path, query, page }: PlexQuestion) => {
    world.calls += 1
    const [, key] = /sections\/(\d+)\/all/.exec(path) ?? []
    if (key === undefined) {
      const Directory = libraries.map(({ type }, index) => ({ key: `${index + 1}`, type }))
      return { container: { Directory } }
    }
    const bound = knowsBounds
      ? Number(query?.['addedAt<<'] ?? Number.POSITIVE_INFINITY)
      : Number.POSITIVE_INFINITY
    const rows = libraries[Number(key) - 1]?.rows.filter(({ addedAt }) => Number(addedAt) < bound) ?? []
    const { offset = 0, limit = rows.length } = page ?? {}
    const Metadata = rows.slice(offset, offset + Math.min(limit, pageCap))
    return { container: { totalSize: rows.length, Metadata } }
  }
  const dependencies: Parameters<typeof createReads>[0] & Pick<PlexDependencies, 'ttl'> = {
    reader: { read },
    images: { sign: async (_scope, value) => value },
    cache: {
      read: async ({ load }) => ({
        body: JSON.stringify(await load()),
        etag: '"1"',
        state: 'MISS',
        ageSeconds: 0,
        freshForSeconds: 0,
      }),
    },
    machineIdentifier: 'abc',
    ttl: { server: 1, libraries: 1, items: 1, recentlyAdded: 1, search: 1 },
    now: () => now,
  }
  const { recentlyAdded } = createRecentlyAdded(createReads(dependencies), dependencies)
  return {
    world,
    page: async (limit: number, before?: string) => {
      const { body } = await recentlyAdded(asked, { limit, ...(before !== undefined && { before }) })
      return Body.parse(JSON.parse(body))
    },
  }
}

async function walk({ page, world }: ReturnType<typeof createWorld>, limit: number) {
  const items: z.output<typeof Body>['data'] = []
  let most = 0
  for (let before: string | undefined, pages = 0; pages < 500; pages += 1) {
    const calls = world.calls
    const { data, meta } = await page(limit, before)
    most = Math.max(most, world.calls - calls)
    items.push(...data)
    before = meta.before
    if (before === undefined) return { items, most }
  }
  throw new Error('there is no end to it')
}

const newestFirst = (rows: readonly Row[]) =>
  rows.toSorted((a, b) => Number(b['addedAt']) - Number(a['addedAt']))
const films = (count: number, apart: number) =>
  newestFirst(
    Array.from({ length: count }, (_, i) => ({
      ratingKey: `${10_000 + i}`,
      type: 'movie',
      addedAt: start + i * apart,
    })),
  )
const episodes = (seasons: number, each: number, apart: number) =>
  newestFirst(
    Array.from({ length: seasons * each }, (_, i) => ({
      ratingKey: `${50_000 + i}`,
      type: 'episode',
      parentRatingKey: `${20_000 + Math.floor(i / each)}`,
      addedAt: start + i * apart,
    })),
  )

for (const options of [{}, { pageCap: 30 }]) {
  test(`two large libraries are walked to their ends ${JSON.stringify(options)}`, async () => {
    const libraries = [
      { type: 'movie', rows: films(420, 3_600) },
      { type: 'show', rows: episodes(60, 10, 3_000) },
    ]
    const { items, most } = await walk(createWorld(libraries, options), 50)
    expect(items.filter(({ ratingKey }) => ratingKey < '20000')).toHaveLength(420)
    const told = items.filter(({ ratingKey }) => ratingKey >= '20000')
    expect(told.reduce((sum, { episodes = 1 }) => sum + episodes, 0)).toBe(600)
    const times = items.map(({ addedAt }) => addedAt ?? '')
    expect(times).toEqual(times.toSorted().toReversed())
    expect(most).toBeLessThanOrEqual(1 + 2 * 10)
  })
}

test('of a day on which more came than is read for a page, no season is lost', async () => {
  const world = createWorld([{ type: 'show', rows: episodes(90, 10, 20) }])
  const { items, most } = await walk(world, 20)
  // What is left of a season for the next page may be a single episode, which stands for itself.
  const seasons = items.map(({ ratingKey }) =>
    Number(ratingKey) < 50_000 ? Number(ratingKey) : 20_000 + Math.floor((Number(ratingKey) - 50_000) / 10),
  )
  expect(new Set(seasons).size).toBe(90)
  expect(most).toBeLessThanOrEqual(1 + 6)
})

test('a season larger than what is read for a page comes to an end all the same', async () => {
  const { items } = await walk(createWorld([{ type: 'show', rows: episodes(1, 1_000, 20) }]), 5)
  expect(new Set(items.map(({ ratingKey }) => ratingKey))).toEqual(new Set(['20000']))
  expect(items.length).toBeLessThanOrEqual(5)
  expect(items.reduce((sum, { episodes = 1 }) => sum + episodes, 0)).toBeGreaterThanOrEqual(1_000)
})

test('where Plex does not know how to narrow by time, no page shows what is newer, and there is an end', async () => {
  const { items } = await walk(
    createWorld([{ type: 'movie', rows: films(250, 60) }], { knowsBounds: false }),
    40,
  )
  expect(items).toHaveLength(250)
  expect(new Set(items.map(({ ratingKey }) => ratingKey)).size).toBe(250)
})

test('libraries that hold nothing of the kind are not asked', async () => {
  const world = createWorld([{ type: 'mixed', rows: films(3, 1) }])
  expect(await world.page(5)).toEqual({ data: [], meta: { count: 0 } })
  expect(world.world.calls).toBe(1)
})
