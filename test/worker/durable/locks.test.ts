import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'

import { createLocks } from '../../../src/durable/locks.ts'

const newServer = () => env.PLEX_SERVER.getByName(crypto.randomUUID())

/** Locks over an object's own storage, at a time that the test sets. */
function withLocks(
  work: (locks: ReturnType<typeof createLocks>, clock: { now: number }, kept: () => string[]) => void,
) {
  return runInDurableObject(newServer(), (_server, { storage }) => {
    const clock = { now: 1_000 }
    const kept = () => [...storage.kv.list({ prefix: 'lock:' })].map(([key]) => key)
    work(
      createLocks(storage.kv, () => clock.now),
      clock,
      kept,
    )
  })
}

test('a name is one holder’s at a time, and another name another’s', async () => {
  await withLocks((locks) => {
    expect(locks.claim('a', 'one', 100)).toBe(1)
    expect(locks.claim('a', 'two', 100)).toBeUndefined()
    expect(locks.claim('b', 'two', 100)).toBe(2)
    // The answer to a claim may have been lost.
    expect(locks.claim('a', 'one', 100)).toBe(3)
    locks.release('a', 3)
    expect(locks.claim('a', 'two', 100)).toBe(4)
  })
})

test('who was cut off loses the name when the lease lapses, and can neither prolong nor end the next', async () => {
  await withLocks((locks, clock) => {
    const stale = locks.claim('a', 'one', 100) ?? 0
    clock.now += 99
    expect(locks.claim('a', 'two', 100)).toBeUndefined()
    expect(locks.renew('a', stale, 100)).toBe(true)
    clock.now += 100
    expect(locks.renew('a', stale, 100)).toBe(false)
    expect(locks.claim('a', 'two', 100)).toBe(2)
    expect(locks.renew('a', stale, 100)).toBe(false)
    locks.release('a', stale)
    expect(locks.claim('a', 'three', 100)).toBeUndefined()
  })
})

test('leases that are over leave nothing behind, and no token comes back', async () => {
  await withLocks((locks, clock, kept) => {
    for (let index = 0; index < 5; index += 1) locks.claim(`title ${index}`, 'one', 100)
    clock.now += 100
    const token = locks.claim('another', 'two', 100) ?? 0
    expect(kept()).toEqual(['lock:another'])
    expect(token).toBe(6)
    locks.release('another', token)
    expect(kept()).toEqual([])
    expect(locks.claim('another', 'three', 100)).toBe(7)
  })
})

test('a lease outlives the eviction of the object', async () => {
  const server = newServer()
  const token = (await server.claimLock('a', 'one', 60_000)) ?? 0
  await evictDurableObject(server)
  expect(await server.claimLock('a', 'two', 60_000)).toBeUndefined()
  expect(await server.renewLock('a', token, 60_000)).toBe(true)
  await server.releaseLock('a', token)
  await evictDurableObject(server)
  expect(await server.claimLock('a', 'two', 60_000)).toBe(token + 1)
})
