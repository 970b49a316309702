import { expect, test } from 'vitest'

import { createGenerations } from '../../../src/platform/generations.ts'
import { createReadCounts } from '../../../src/platform/read-counts.ts'
import type { Reads } from '../../../src/plex/hit-ratio.ts'

/** Two isolates before one object that counts changes. */
function createChangeLog() {
  const world = {
    now: 0,
    asked: 0,
    isAway: false,
    told: [] as Reads[],
    generations: {} as Record<string, number>,
  }
  const object = {
    generations: async (reads: Reads) => {
      world.asked += 1
      if (world.isAway) throw new Error('away')
      world.told.push(reads)
      return world.generations
    },
    changed: async (key: string) => {
      const next = { any: (world.generations['any'] ?? 0) + 1, [key]: (world.generations[key] ?? 0) + 1 }
      world.generations = { ...world.generations, ...next }
      return world.generations
    },
    claimRenewal: async () => true,
  }
  const isolate = (takeReads = () => ({ cached: 0, asked: 0 })) =>
    createGenerations(
      () => object,
      takeReads,
      () => world.now,
    )
  return { world, object, isolate }
}

test('a change is seen within five seconds by who did not make it, and the object is asked no more often', async () => {
  const { world, isolate } = createChangeLog()
  const generations = isolate()
  const current = async () => ['any', '2', '7'].map(await generations.current())
  world.generations = { any: 1, '2': 1 }
  expect(await current()).toEqual([1, 1, 0])
  expect(await current()).toEqual([1, 1, 0])
  world.generations = { any: 2, '2': 1, '7': 1 }
  world.now += 4_999
  expect(await current()).toEqual([1, 1, 0])
  expect(world.asked).toBe(1)
  world.now += 1
  expect(await current()).toEqual([2, 1, 1])
  expect(world.asked).toBe(2)
  world.isAway = true
  world.now += 10_000
  expect(await current()).toEqual([2, 1, 1])
})

test('a change made here is seen here at once, and by its maker wherever they ask next', async () => {
  const { world, isolate } = createChangeLog()
  const [here, there] = [isolate(), isolate()]
  expect([(await here.current())('7'), (await there.current())('7')]).toEqual([0, 0])
  const change = await here.changed('7')
  expect([(await here.current())('7'), (await here.current())('any'), (await here.current())('2')]).toEqual([
    1, 1, 0,
  ])
  expect((await there.current())('7')).toBe(0)
  expect((await there.current(change))('7')).toBe(1)
  const { asked } = world
  expect((await there.current(change))('any')).toBe(1)
  expect(world.asked).toBe(asked)
})

test('an answer from before a change that comes in after it does not undo it', async () => {
  const { world, object, isolate } = createChangeLog()
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const old = object.generations
  object.generations = async (reads) => {
    const before = await old(reads)
    await held
    return before
  }
  const generations = isolate()
  const asking = generations.current()
  await generations.changed('7')
  release()
  await asking
  world.now += 1
  expect((await generations.current())('7')).toBe(1)
})

test('what was counted travels with the question, once', async () => {
  const { world, isolate } = createChangeLog()
  const reads = createReadCounts()
  const generations = isolate(reads.take)
  for (const how of ['asked', 'cached', 'cached'] as const) reads.count(how)
  await generations.current()
  world.now += 5_000
  await generations.current()
  expect(world.told).toEqual([
    { cached: 2, asked: 1 },
    { cached: 0, asked: 0 },
  ])
})
