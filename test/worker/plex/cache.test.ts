import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'

import { Problem } from '#contract/problem.ts'
import type { ProblemCode } from '#contract/problems.ts'

import type { CachedRead } from '../../../src/http/cached-response.ts'
import { createAnswerCache, type AnswerStore, type Generations } from '../../../src/platform/answer-cache.ts'
import { createGenerations } from '../../../src/platform/generations.ts'

const minutes = 60_000
const hours = 60 * minutes

/** A cache on its own clock over the real KV, in front of a Plex whose answer a test sets. */
function createWorld({ kv = env.CACHE, generations }: { kv?: AnswerStore; generations?: Generations } = {}) {
  const world = {
    now: Date.now(),
    answer: 'first' as string | Error,
    loads: 0,
    generation: 0,
    renewals: new Set<string>(),
    behind: [] as Promise<unknown>[],
    reads: [] as ('cached' | 'asked')[],
  }
  const scope = crypto.randomUUID()
  const cache = createAnswerCache({
    kv,
    generations: generations ?? {
      current: async () => world.generation,
      claimRenewal: async (key) => !world.renewals.has(key) && Boolean(world.renewals.add(key)),
    },
    server: 'server-one',
    onRead: (how) => world.reads.push(how),
    maxStaleMs: 24 * hours,
    now: () => world.now,
    random: () => 0,
    log: () => undefined,
  })
  const load = async () => {
    world.loads += 1
    await scheduler.wait(1)
    if (world.answer instanceof Error) throw world.answer
    return { data: world.answer }
  }
  const ask = async (change: Partial<CachedRead> = {}) => {
    const background = (work: Promise<unknown>) => void world.behind.push(work)
    const read = {
      name: 'items',
      scope,
      ttlMs: 30 * minutes,
      changesWith: 'any',
      load,
      background,
      ...change,
    }
    const { body, state, ...rest } = await cache.read(read)
    return { data: (JSON.parse(body) as { data: unknown }).data, state, ...rest }
  }
  const settled = async () => {
    await Promise.all(world.behind)
    world.behind = []
  }
  return { world, ask, settled, scope, cache }
}

const problem = (code: 'plex-unavailable' | 'plex-maintenance' | 'plex-tv-unavailable') =>
  new Problem(code, { members: { retryAfter: 5 } })
const plain = (code: 'not-found' | 'not-a-member' | 'plex-sign-in-required' | 'upstream-invalid') =>
  new Problem(code)

test('fresh for its life, then stale and renewed behind, then asked for anew', async () => {
  const { world, ask, settled } = createWorld()
  expect(await ask()).toMatchObject({ data: 'first', state: 'MISS', ageSeconds: 0, freshForSeconds: 1_800 })
  world.now += 30 * minutes - 1
  expect(await ask()).toMatchObject({ data: 'first', state: 'HIT', ageSeconds: 1_799, freshForSeconds: 0 })
  world.now += 1
  world.answer = 'second'
  expect(await ask()).toMatchObject({ data: 'first', state: 'STALE', ageSeconds: 1_800 })
  await settled()
  expect(await ask()).toMatchObject({ data: 'second', state: 'HIT', ageSeconds: 0 })
  world.now += 60 * minutes
  world.answer = 'third'
  expect(await ask()).toMatchObject({ data: 'third', state: 'MISS' })
})

test('of twenty who find it stale one asks Plex, and all are answered', async () => {
  const { world, ask, settled } = createWorld()
  await ask()
  world.now += 31 * minutes
  const answers = await Promise.all(Array.from({ length: 20 }, () => ask()))
  await settled()
  expect(answers.map(({ state }) => state)).toEqual(Array(20).fill('STALE'))
  expect(world.loads).toBe(2)
})

test('while Plex is away the last answer is served for a day, and not a moment longer', async () => {
  const { world, ask, settled } = createWorld()
  await ask()
  world.answer = problem('plex-unavailable')
  for (const ms of [31 * minutes, 2 * hours, 10 * hours, 11 * hours + 59 * minutes - 1 - minutes]) {
    world.now += ms
    expect(await ask()).toMatchObject({ data: 'first', state: 'STALE', freshForSeconds: 0 })
    await settled()
  }
  world.now += minutes + 1
  await expect(ask()).rejects.toMatchObject({ code: 'plex-unavailable' })
})

const served: ProblemCode[] = ['plex-unavailable', 'plex-maintenance', 'upstream-invalid']
for (const failure of [
  problem('plex-unavailable'),
  problem('plex-maintenance'),
  problem('plex-tv-unavailable'),
  plain('upstream-invalid'),
  plain('not-found'),
  plain('not-a-member'),
  plain('plex-sign-in-required'),
  new Error('a defect of ours'),
]) {
  const name = failure instanceof Problem ? failure.code : 'a defect'
  test(`${name} is never kept, and an old answer is ${served.some((code) => code === name) ? '' : 'not '}served over it`, async () => {
    const { world, ask } = createWorld()
    world.answer = failure
    await expect(ask()).rejects.toBe(failure)
    world.answer = 'first'
    expect((await ask()).state).toBe('MISS')
    world.answer = failure
    world.now += 2 * hours
    if (served.some((code) => code === name)) expect((await ask()).state).toBe('STALE')
    else await expect(ask()).rejects.toBe(failure)
    expect(world.loads).toBe(3)
  })
}

for (const code of ['not-found', 'not-a-member', 'plex-sign-in-required'] as const) {
  test(`what ended with ${code} does not come back with the next outage`, async () => {
    const { world, ask } = createWorld()
    await ask()
    world.now += 2 * hours
    world.answer = plain(code)
    await expect(ask()).rejects.toMatchObject({ code })
    world.answer = problem('plex-unavailable')
    await expect(ask()).rejects.toMatchObject({ code: 'plex-unavailable' })
  })
}

test('when a renewal behind is denied, what was served stale is gone', async () => {
  const { world, ask, settled } = createWorld()
  await ask()
  world.now += 31 * minutes
  world.answer = plain('not-found')
  expect((await ask()).state).toBe('STALE')
  await settled()
  await expect(ask()).rejects.toMatchObject({ code: 'not-found' })
})

test('a change makes the next read a miss, and only if Plex is away the old answer does', async () => {
  const { world, ask } = createWorld()
  await ask()
  world.generation += 1
  world.answer = problem('plex-unavailable')
  expect(await ask()).toMatchObject({ data: 'first', state: 'STALE' })
  world.answer = 'second'
  expect(await ask()).toMatchObject({ data: 'second', state: 'MISS' })
  expect(await ask()).toMatchObject({ data: 'second', state: 'HIT' })
})

test('a change that comes while Plex is being asked is not lost', async () => {
  const { world, ask, cache, scope } = createWorld()
  const load = async () => {
    world.generation += 1
    return { data: 'read before the change' }
  }
  const read = { name: 'items', scope, ttlMs: hours, changesWith: 'any', load, background: () => undefined }
  expect((await cache.read(read)).state).toBe('MISS')
  expect((await ask()).state).toBe('MISS')
})

test('what is the same has the same ETag, and what is not has another', async () => {
  const { world, ask } = createWorld()
  const { etag } = await ask()
  world.now += 2 * hours
  expect((await ask()).etag).toBe(etag)
  world.now += 2 * hours
  world.answer = 'second'
  expect((await ask()).etag).not.toBe(etag)
})

test('names and scopes that differ never meet, however long or odd they are', async () => {
  const { world, ask, scope } = createWorld()
  const names = [
    'search:1:a',
    'search:1:A',
    'search:1:ä',
    'x'.repeat(600),
    `${'x'.repeat(600)}y`,
    'a b',
    'a:b',
  ]
  const scopes = [`${scope}.1.user`, `${scope}.1.admin`, `${scope}.11.user`]
  const reads = scopes.flatMap((scope) => names.map((name) => ({ scope, name })))
  for (const read of reads) {
    world.answer = JSON.stringify(read)
    expect((await ask(read)).state).toBe('MISS')
  }
  for (const read of reads)
    expect(await ask(read)).toMatchObject({ state: 'HIT', data: JSON.stringify(read) })
})

const broken = async () => Promise.reject(new Error('KV is away'))
test('without KV every read goes to Plex, and its problems are its own', async () => {
  const kv = { getWithMetadata: broken, put: broken, delete: broken }
  const { world, ask } = createWorld({ kv })
  expect((await ask()).state).toBe('MISS')
  world.answer = 'second'
  expect(await ask()).toMatchObject({ state: 'MISS', data: 'second' })
  world.answer = problem('plex-unavailable')
  await expect(ask()).rejects.toMatchObject({ code: 'plex-unavailable' })
})

test('what KV holds in another shape is as good as nothing', async () => {
  const { ask, scope } = createWorld()
  await env.CACHE.put(`answer:v2:server-one:${scope}:items`, '{"data":"old"}', { metadata: { at: 1 } })
  expect(await ask()).toMatchObject({ data: 'first', state: 'MISS' })
})

test('a change is seen within five seconds by who did not make it, and the object is asked no more often', async () => {
  const world = { now: 0, asked: 0, isAway: false, generations: { any: 1, '2': 1 } as Record<string, number> }
  const generations = createGenerations(
    () => ({
      generations: async () => {
        world.asked += 1
        if (world.isAway) throw new Error('away')
        return world.generations
      },
      changed: async () => world.generations,
      claimRenewal: async () => true,
    }),
    () => ({ cached: 0, asked: 0 }),
    () => world.now,
  )
  const current = () => Promise.all(['any', '2', '7', 'never'].map((name) => generations.current(name)))
  expect(await generations.current('any')).toBe(1)
  expect(await current()).toEqual([1, 1, 0, 0])
  world.generations = { any: 2, '2': 1, '7': 1 }
  world.now += 4_999
  expect(await current()).toEqual([1, 1, 0, 0])
  expect(world.asked).toBe(1)
  world.now += 1
  expect(await generations.current('any')).toBe(2)
  expect(await current()).toEqual([2, 1, 1, 0])
  expect(world.asked).toBe(2)
  world.isAway = true
  world.now += 10_000
  expect(await current()).toEqual([2, 1, 1, 0])
})
