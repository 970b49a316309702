import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { BulkheadFull, createBulkhead } from '../../../src/resilience/bulkhead.ts'

test('there are as many places as the limit says', () => {
  const bulkhead = createBulkhead(2)
  const leave = bulkhead.tryEnter()
  expect(bulkhead.tryEnter()).toBeTypeOf('function')
  expect(bulkhead.tryEnter()).toBeUndefined()
  expect(bulkhead.active()).toBe(2)
  leave?.()
  expect(bulkhead.active()).toBe(1)
  expect(bulkhead.tryEnter()).toBeTypeOf('function')
  expect(bulkhead.limit).toBe(2)
})

test('leaving twice frees one place', () => {
  const bulkhead = createBulkhead(2)
  const leave = bulkhead.tryEnter()
  bulkhead.tryEnter()
  leave?.()
  leave?.()
  expect(bulkhead.active()).toBe(1)
})

test('a call holds its place until it has settled', async () => {
  const bulkhead = createBulkhead(1)
  const gate = Promise.withResolvers<string>()
  const answer = bulkhead.run(() => gate.promise)
  expect(bulkhead.active()).toBe(1)
  gate.resolve('answer')
  expect(await answer).toBe('answer')
  expect(bulkhead.active()).toBe(0)
})

test('when it is full the call is not made', async () => {
  const bulkhead = createBulkhead(1)
  bulkhead.tryEnter()
  let called = false
  const refused = await bulkhead
    .run(async () => {
      called = true
    })
    .catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(BulkheadFull)
  expect(refused).toMatchObject({ name: 'BulkheadFull', limit: 1, message: 'All 1 places are taken' })
  expect(called).toBe(false)
  expect(bulkhead.active()).toBe(1)
})

test.for([
  {
    how: 'rejects',
    call: () => Promise.reject(new Error('no')),
  },
  {
    how: 'throws',
    call: (): Promise<never> => {
      throw new Error('no')
    },
  },
])('a call that $how leaves its place', async ({ call }) => {
  const bulkhead = createBulkhead(1)
  await expect(bulkhead.run(call)).rejects.toThrow('no')
  expect(bulkhead.active()).toBe(0)
})

test('a place whose holder vanished falls free in time', () => {
  let now = 0
  const bulkhead = createBulkhead(1, { holdMs: 100, now: () => now })
  const leaveLate = bulkhead.tryEnter()
  now = 99
  expect(bulkhead.tryEnter()).toBeUndefined()
  now = 100
  expect(bulkhead.active()).toBe(0)
  expect(bulkhead.tryEnter()).toBeTypeOf('function')
  leaveLate?.()
  expect(bulkhead.active()).toBe(1)
})

test('without a lapse a place is held for as long as it takes', () => {
  const bulkhead = createBulkhead(1)
  bulkhead.tryEnter()
  expect(bulkhead.active()).toBe(1)
  expect(bulkhead.tryEnter()).toBeUndefined()
})

test('under any interleaving it counts as a plain list of holders does', () => {
  const steps = fc.array(fc.oneof(fc.constant('enter' as const), fc.nat(20)), { maxLength: 100 })
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), steps, (limit, steps) => {
      const bulkhead = createBulkhead(limit)
      const leaves: (() => void)[] = []
      const inside = new Set<number>()
      for (const step of steps) {
        if (step === 'enter') {
          const leave = bulkhead.tryEnter()
          expect(leave !== undefined).toBe(inside.size < limit)
          if (leave) inside.add(leaves.push(leave) - 1)
        } else {
          leaves[step]?.()
          inside.delete(step)
        }
        expect(bulkhead.active()).toBe(inside.size)
      }
    }),
  )
})
