import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { expect, test } from 'vitest'

import { createDeliveryStore } from '../../../src/platform/delivery-store.ts'
import { firstIdAt } from '../../../src/webhooks/delivery-id.ts'
import type { Source } from '../../../src/webhooks/delivery.ts'
import type { NewDelivery } from '../../../src/webhooks/ports.ts'

const store = createDeliveryStore(drizzle(env.DB))

let at = 1_800_000_000_000

/** A delivery that no other test knows: later than all before it, with a key of its own. */
function delivery(changes: Partial<NewDelivery> = {}): NewDelivery {
  at += 1_000
  return {
    id: firstIdAt(at),
    source: 'generic:ci',
    event: 'build.done',
    verdict: 'verified',
    dedupKey: crypto.randomUUID(),
    status: 'stored',
    kept: { title: 'Up', commits: 3 },
    ...changes,
  }
}

const freshSource = (): Source => `generic:${crypto.randomUUID()}`

test('a delivery comes back as it was stored', async () => {
  const stored = delivery()
  expect(await store.insertUnlessKnown(stored, 0)).toEqual({ outcome: 'inserted' })
  expect(await store.find(stored.id)).toEqual({ ...stored, attempts: 0 })
  expect(await store.find(stored.id + 1)).toBeUndefined()
})

test('one with the same key joins it while the window lasts', async () => {
  const first = delivery()
  await store.insertUnlessKnown(first, 0)
  const again = () => delivery({ dedupKey: first.dedupKey })
  expect(await store.insertUnlessKnown(again(), first.id - 1)).toEqual({ outcome: 'joined', id: first.id })
  expect(await store.insertUnlessKnown(again(), first.id)).toEqual({ outcome: 'inserted' })
})

test('nobody joins a dead one', async () => {
  const first = delivery()
  await store.insertUnlessKnown(first, 0)
  await store.settlePending(first.id, { status: 'dead', at: 'now' })
  expect(await store.insertUnlessKnown(delivery({ dedupKey: first.dedupKey }), 0)).toEqual({
    outcome: 'inserted',
  })
})

test('of twenty that arrive at once exactly one is inserted, and the others join it', async () => {
  const dedupKey = crypto.randomUUID()
  const twins = Array.from({ length: 20 }, () => delivery({ dedupKey }))
  const insertions = await Promise.all(twins.map((twin) => store.insertUnlessKnown(twin, 0)))
  const inserted = twins.filter((_, index) => insertions[index]?.outcome === 'inserted')
  expect(inserted).toHaveLength(1)
  const joined = insertions.flatMap((insertion) => (insertion.outcome === 'joined' ? [insertion.id] : []))
  expect(joined).toEqual(Array.from({ length: 19 }, () => inserted[0]?.id))
})

test('an id that is taken is told apart from a duplicate, and changes nothing', async () => {
  const first = delivery()
  await store.insertUnlessKnown(first, 0)
  expect(await store.insertUnlessKnown(delivery({ id: first.id, event: 'other' }), 0)).toEqual({
    outcome: 'id-taken',
  })
  expect(await store.find(first.id)).toMatchObject({ event: 'build.done' })
})

test('only one of many callers settles a delivery', async () => {
  const stored = delivery()
  await store.insertUnlessKnown(stored, 0)
  const end = { status: 'processed', outcome: 'told', at: '2027-01-15T08:00:00.000Z' } as const
  const settled = await Promise.all(Array.from({ length: 5 }, () => store.settlePending(stored.id, end)))
  expect(settled.filter(Boolean)).toHaveLength(1)
  expect(await store.settlePending(stored.id, { status: 'dead', at: 'later' })).toBe(false)
  expect(await store.find(stored.id)).toEqual({
    ...stored,
    status: 'processed',
    attempts: 1,
    outcome: 'told',
    processedAt: end.at,
  })
})

test('failures are counted while a delivery is pending, and its death keeps the last reason', async () => {
  const stored = delivery()
  await store.insertUnlessKnown(stored, 0)
  expect(await store.recordFailure(stored.id, 'timeout')).toBe(1)
  expect(await store.recordFailure(stored.id, 'plex-unavailable')).toBe(2)
  expect(await store.find(stored.id)).toMatchObject({ status: 'retrying', attempts: 2 })
  await store.settlePending(stored.id, { status: 'dead', at: 'now' })
  expect(await store.find(stored.id)).toMatchObject({
    status: 'dead',
    attempts: 2,
    outcome: 'plex-unavailable',
  })
  expect(await store.recordFailure(stored.id, 'late')).toBeUndefined()
})

test('a reopened delivery is as if it had just been stored', async () => {
  const stored = delivery()
  await store.insertUnlessKnown(stored, 0)
  await store.recordFailure(stored.id, 'timeout')
  await store.settlePending(stored.id, { status: 'dead', at: 'now' })
  expect(await store.reopen(stored.id)).toEqual({ ...stored, attempts: 0 })
  expect(await store.reopen(stored.id + 1)).toBeUndefined()
})

test('deliveries are listed newest first, by page, source and status', async () => {
  const source = freshSource()
  const stored = [delivery({ source }), delivery({ source }), delivery({ source, status: 'ignored' })]
  for (const each of stored) await store.insertUnlessKnown(each, 0)
  const ids = async (...[filter, page]: Parameters<typeof store.list>) => {
    const { deliveries, total } = await store.list(filter, page)
    return { ids: deliveries.map(({ id }) => id), total }
  }
  const newestFirst = stored.map(({ id }) => id).toReversed()
  expect(await ids({ source }, { offset: 0, limit: 2 })).toEqual({ ids: newestFirst.slice(0, 2), total: 3 })
  expect(await ids({ source }, { offset: 2, limit: 2 })).toEqual({ ids: newestFirst.slice(2), total: 3 })
  expect(await ids({ source, status: 'ignored' }, { offset: 0, limit: 2 })).toEqual({
    ids: newestFirst.slice(0, 1),
    total: 1,
  })
})

test('pending ones are found oldest first, each kind with its own age', async () => {
  const first = delivery()
  const second = delivery()
  const retrying = delivery()
  const young = delivery()
  for (const each of [second, first, retrying, young, delivery({ status: 'ignored' })]) {
    await store.insertUnlessKnown(each, 0)
  }
  await store.recordFailure(retrying.id, 'timeout')
  const range = { afterId: first.id - 1, storedBeforeId: young.id, retryingBeforeId: retrying.id, limit: 10 }
  expect(await store.pending(range)).toEqual([first.id, second.id])
  expect(await store.pending({ ...range, retryingBeforeId: young.id })).toEqual([
    first.id,
    second.id,
    retrying.id,
  ])
  expect(await store.pending({ ...range, limit: 1 })).toEqual([first.id])
  expect(await store.pending({ ...range, afterId: first.id })).toEqual([second.id])
})

test('deliveries are counted by source and status', async () => {
  const source = freshSource()
  const stored = [delivery({ source }), delivery({ source }), delivery({ source, status: 'ignored' })]
  for (const each of stored) await store.insertUnlessKnown(each, 0)
  const [first, second, third] = stored.map(({ id }) => id)
  const rows = await store.tally((first ?? 0) - 1, second ?? 0)
  const mine = rows.filter((row) => row.source === source)
  expect(mine).toHaveLength(2)
  expect(mine).toContainEqual({ source, status: 'stored', count: 2, older: 1, lastId: second })
  expect(mine).toContainEqual({ source, status: 'ignored', count: 1, older: 0, lastId: third })
})

test('a delivery costs three written rows in its whole life, and a duplicate none', async () => {
  const { db, written } = counting(env.DB)
  const counted = createDeliveryStore(drizzle(db))
  const stored = delivery()
  await counted.insertUnlessKnown(stored, 0)
  await counted.find(stored.id)
  await counted.settlePending(stored.id, { status: 'processed', outcome: 'told', at: 'now' })
  expect(written()).toBe(3)
  await counted.insertUnlessKnown(delivery({ dedupKey: stored.dedupKey }), 0)
  expect(written()).toBe(3)
})

/** The database, with the rows each statement writes added up. */
function counting(db: D1Database) {
  let rows = 0
  const wrapped = (statement: D1PreparedStatement): D1PreparedStatement =>
    new Proxy(statement, {
      get(target, name) {
        if (name === 'bind') return (...values: unknown[]) => wrapped(target.bind(...values))
        // Drizzle asks for bare values, which come without a count.
        if (name === 'raw') {
          return async () => {
            const { results, meta } = await target.all()
            rows += meta.rows_written
            return results.map((row) => Object.values(row))
          }
        }
        return () => expect.unreachable(`Not counted: ${String(name)}`)
      },
    })
  const counted = new Proxy(db, {
    get: (target, name) =>
      name === 'prepare'
        ? (query: string) => wrapped(target.prepare(query))
        : () => expect.unreachable(`Not counted: ${String(name)}`),
  })
  return { db: counted, written: () => rows }
}
