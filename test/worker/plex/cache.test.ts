import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'

import type { AnswerStore } from '../../../src/platform/answer-cache.ts'
import { withPatience } from '../../../src/platform/patient-store.ts'
import { createWorld, hours, minutes, problem } from './cache-world.ts'

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

test('an answer that is all of one library grows old with that one alone', async () => {
  const { world, ask } = createWorld()
  world.others = { '3': 7 }
  const narrowed = (value: unknown) => (JSON.stringify(value).includes('first') ? '3' : undefined)
  expect((await ask({ narrowed })).state).toBe('MISS')
  world.generation += 1
  expect((await ask({ narrowed })).state).toBe('HIT')
  world.others = { '3': 8 }
  world.answer = 'second'
  expect(await ask({ narrowed })).toMatchObject({ data: 'second', state: 'MISS' })
  world.generation += 1
  expect((await ask({ narrowed })).state).toBe('MISS')
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

test('another server’s answers are never found, not even under the same name', async () => {
  const scope = crypto.randomUUID()
  const [here, there] = [createWorld({ scope }), createWorld({ scope, server: 'server-two' })]
  expect((await here.ask()).state).toBe('MISS')
  there.world.answer = problem('plex-unavailable')
  await expect(there.ask()).rejects.toMatchObject({ code: 'plex-unavailable' })
  expect((await here.ask()).state).toBe('HIT')
})

test('what is answered from the cache is counted, and what had to wait for Plex', async () => {
  const { world, ask, settled } = createWorld()
  await ask()
  await ask()
  world.now += 31 * minutes
  await ask()
  await settled()
  world.answer = problem('plex-unavailable')
  world.now += 5 * hours
  await ask()
  expect(world.reads).toEqual(['asked', 'cached', 'cached', 'asked'])
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

test('a KV that hangs is waited for once and for a second, then left alone for a while', async () => {
  let asked = 0
  const hang = () => {
    asked += 1
    return new Promise<never>(() => undefined)
  }
  const clock = { now: 0 }
  const kv = withPatience({ getWithMetadata: hang, put: hang, delete: hang }, () => clock.now)
  const { world, ask } = createWorld({ kv })
  const startedAt = Date.now()
  expect((await ask()).state).toBe('MISS')
  expect(Date.now() - startedAt).toBeLessThan(5_000)
  world.answer = 'second'
  expect(await ask()).toMatchObject({ state: 'MISS', data: 'second' })
  expect(asked).toBe(1)
  clock.now += 10_000
  await ask()
  expect(asked).toBe(2)
})

test('who waits for an answer is not kept waiting by a KV that takes its time, and what it takes is kept', async () => {
  let release: () => void = () => undefined
  const held = new Promise<void>((resolve) => (release = resolve))
  const kv: AnswerStore = {
    getWithMetadata: (key, type) => env.CACHE.getWithMetadata(key, type),
    put: async (key, value, options) => {
      await held
      await env.CACHE.put(key, value, options)
    },
    delete: (key) => env.CACHE.delete(key),
  }
  const { world, ask, settled } = createWorld({ kv })
  world.patience = Promise.resolve()
  expect((await ask()).state).toBe('MISS')
  release()
  await settled()
  expect((await ask()).state).toBe('HIT')
})

test('what KV holds in another shape is as good as nothing', async () => {
  const { ask, scope } = createWorld()
  await env.CACHE.put(`answer:v2:server-one:${scope}:items`, '{"data":"old"}', { metadata: { at: 1 } })
  expect(await ask()).toMatchObject({ data: 'first', state: 'MISS' })
})
