import { expect, test } from 'vitest'

import { isProblem } from '#contract/problem.ts'
import { grant, lapsed, renew, type Lease } from '#resilience/lease.ts'

import { createPlexLocks } from '../../../src/platform/plex-locks.ts'

const leaseMs = 1_000

/** A server of leases with a clock of its own; `trouble` throws where the object would have gone away. */
function createWorld({
  trouble = () => false,
  stands = false,
}: { trouble?: (call: string) => boolean; stands?: boolean } = {}) {
  const leases = new Map<string, Lease>()
  const calls: string[] = []
  const clock = { now: 0 }
  let last = 0
  const heard = <T>(call: string, answer: T): T => {
    calls.push(call)
    if (trouble(call)) throw new Error('the object has gone away')
    return answer
  }
  const server = {
    async claimLock(name: string, holder: string, ttlMs: number) {
      const current = leases.get(name)
      const isTaken = current && current.holder !== holder && !lapsed(current, clock.now)
      if (isTaken) return heard('claim', undefined)
      const lease = grant({ holder, token: last, until: 0 }, holder, clock.now, ttlMs)
      last = lease.token
      leases.set(name, lease)
      return heard('claim', lease.token)
    },
    async renewLock(name: string, token: number, ttlMs: number) {
      const lease = renew(leases.get(name), token, clock.now, ttlMs)
      if (lease) leases.set(name, lease)
      return heard('renew', lease !== undefined)
    },
    async releaseLock(name: string, token: number) {
      if (leases.get(name)?.token === token) leases.delete(name)
      heard('release', undefined)
    },
  }
  let ids = 0
  const locks = createPlexLocks({
    server: () => server,
    leaseMs,
    waitMs: 5_000,
    now: () => clock.now,
    random: () => 0.5,
    sleep: async (ms) => {
      if (!stands) clock.now += ms
      await new Promise<void>((resolve) => setImmediate(resolve))
    },
    newId: () => String((ids += 1)),
  })
  return { locks, clock, calls, leases }
}

const isBusy = (error: unknown) => isProblem(error, 'collection-busy')

test('of many writers one works at a time, and all have their turn', async () => {
  const { locks } = createWorld({ stands: true })
  let [inside, most, done] = [0, 0, 0]
  const work = async () => {
    inside += 1
    most = Math.max(most, inside)
    await new Promise<void>((resolve) => setImmediate(resolve))
    inside -= 1
    done += 1
  }
  await Promise.all(Array.from({ length: 20 }, () => locks.run(['a'], work)))
  expect({ most, done }).toEqual({ most: 1, done: 20 })
})

test('two that want the same names in another order do not wait for one another for ever', async () => {
  const { locks } = createWorld({ stands: true })
  const yielding = () => new Promise<void>((resolve) => setImmediate(resolve))
  await Promise.all([
    locks.run(['a', 'b'], yielding),
    locks.run(['b', 'a'], yielding),
    locks.run(['b', 'b'], yielding),
  ])
})

test('who waits too long is told so', async () => {
  const { locks, clock, leases } = createWorld()
  leases.set('a', { holder: 'another', token: 99, until: 1e9 })
  await expect(locks.run(['a'], async () => 'done')).rejects.toSatisfy(isBusy)
  expect(clock.now).toBeGreaterThanOrEqual(5_000)
})

test('a lease that its holder never gave back is taken over when it lapses', async () => {
  const { locks, clock, leases } = createWorld()
  leases.set('a', { holder: 'cut off', token: 99, until: 900 })
  expect(await locks.run(['a'], async () => clock.now)).toBeGreaterThanOrEqual(900)
})

test('a holder whose lease has lapsed may write no more', async () => {
  const { locks, clock } = createWorld()
  const written: string[] = []
  const slow = locks.run(['a'], async (held) => {
    await held()
    written.push('first')
    clock.now += leaseMs
    await held()
    written.push('second')
  })
  await expect(slow).rejects.toSatisfy(isBusy)
  expect(written).toEqual(['first'])
})

test('a lease is renewed once half of it is over, and so outlasts it', async () => {
  const { locks, clock, calls } = createWorld()
  await locks.run(['a'], async (held) => {
    for (let step = 0; step < 5; step += 1) {
      await held()
      clock.now += leaseMs / 2 - 1
    }
  })
  expect(calls).toEqual(['claim', 'renew', 'renew', 'release'])
})

test('a claim whose answer is lost is asked for again by the same holder', async () => {
  let isFirst = true
  const { locks, clock } = createWorld({
    trouble: (call) => {
      const isLost = call === 'claim' && isFirst
      isFirst &&= !isLost
      return isLost
    },
  })
  expect(await locks.run(['a'], async () => 'done')).toBe('done')
  expect(clock.now).toBeLessThan(leaseMs)
})

test('when the object goes away at the end, what was done stays done', async () => {
  const { locks } = createWorld({ trouble: (call) => call === 'release' })
  expect(await locks.run(['a'], async () => 'done')).toBe('done')
})
