import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { ageSeconds, freshness, jitterTtl, type Stored } from '../../../src/resilience/staleness.ts'

const stored: Stored = { storedAt: 1_000, freshUntil: 5_000 }

test.for([
  { now: 1_000, is: 'fresh' },
  { now: 4_999, is: 'fresh' },
  { now: 5_000, is: 'stale' },
  { now: 14_999, is: 'stale' },
  { now: 15_000, is: 'expired' },
] as const)('at $now it is $is', ({ now, is }) => {
  expect(freshness(stored, now, 10_000)).toBe(is)
})

test('where nothing stale may be served, freshness ends in expiry', () => {
  expect(freshness(stored, 4_999, 0)).toBe('fresh')
  expect(freshness(stored, 5_000, 0)).toBe('expired')
})

test('nothing becomes fresher by waiting', () => {
  const rank = { fresh: 0, stale: 1, expired: 2 }
  fc.assert(
    fc.property(fc.nat(100), fc.nat(100), fc.nat(300), fc.nat(300), (ttlMs, maxStaleMs, now, laterMs) => {
      const stored = { storedAt: 0, freshUntil: ttlMs }
      const before = freshness(stored, now, maxStaleMs)
      expect(rank[freshness(stored, now + laterMs, maxStaleMs)]).toBeGreaterThanOrEqual(rank[before])
    }),
  )
})

test('the age is in whole seconds', () => {
  expect([1_000, 1_999, 2_000, 61_000].map((now) => ageSeconds(stored, now))).toEqual([0, 0, 1, 60])
})

test('what a faster clock has written has no negative age', () => {
  expect(ageSeconds(stored, 500)).toBe(0)
})

test('jitter shortens by a tenth at most, unless told otherwise', () => {
  expect([0, 0.5, 1].map((random) => jitterTtl(1_000, () => random))).toEqual([1_000, 950, 900])
  expect(jitterTtl(1_000, () => 1, 0.5)).toBe(500)
})

test('jitter never prolongs, and stays whole and within its ratio', () => {
  fc.assert(
    fc.property(
      fc.nat(90_000_000),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (ttlMs, random, ratio) => {
        const jittered = jitterTtl(ttlMs, () => random, ratio)
        expect(Number.isInteger(jittered)).toBe(true)
        expect(jittered).toBeLessThanOrEqual(ttlMs)
        expect(jittered).toBeGreaterThanOrEqual(Math.floor(ttlMs * (1 - ratio)))
      },
    ),
  )
})
