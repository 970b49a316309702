import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { attemptMs, createDeadline, remainingMs } from '../../../src/resilience/deadline.ts'

test('what remains runs out at the deadline and not below nothing', () => {
  const deadline = createDeadline(1_000, 300)
  expect(deadline.at).toBe(1_300)
  expect([1_000, 1_100, 1_299, 1_300, 9_999].map((now) => remainingMs(deadline, now))).toEqual([
    300, 200, 1, 0, 0,
  ])
})

test('a clock set back grants no more than the total', () => {
  expect(remainingMs(createDeadline(1_000, 300), 0)).toBe(300)
})

test('an attempt has its own limit until less than that is left', () => {
  const deadline = createDeadline(0, 12_000)
  expect([0, 7_000, 7_001, 12_000].map((now) => attemptMs(deadline, 5_000, now))).toEqual([
    5_000, 5_000, 4_999, 0,
  ])
})

test('no sequence of attempts outlasts the total', () => {
  fc.assert(
    fc.property(
      fc.nat(1_000),
      fc.integer({ min: 1, max: 400 }),
      fc.array(fc.nat(100)),
      (totalMs, limitMs, pauses) => {
        const deadline = createDeadline(0, totalMs)
        let now = 0
        for (const pauseMs of pauses) {
          const ms = attemptMs(deadline, limitMs, now)
          expect(ms).toBeLessThanOrEqual(limitMs)
          if (ms > 0) expect(now + ms).toBeLessThanOrEqual(totalMs)
          now += ms + pauseMs
        }
      },
    ),
  )
})
