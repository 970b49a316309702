import { expect, test } from 'vitest'

import { reach } from '../../bench/patience.ts'

/** Each wait takes a millisecond; there are so many by then. */
function setting(countAt: (now: number) => number) {
  const clock = { now: 0 }
  const patience = {
    patienceMs: 100,
    now: () => clock.now,
    wait: async () => {
      clock.now += 1
    },
  }
  return { clock, reached: (wanted: number) => reach(wanted, () => countAt(clock.now), patience) }
}

test('what is there already is not waited for', async () => {
  const { clock, reached } = setting(() => 5)
  expect(await reached(5)).toBe(true)
  expect(clock.now).toBe(0)
})

test('what comes slowly is waited for, however long it takes', async () => {
  const { clock, reached } = setting((now) => Math.floor(now / 90))
  expect(await reached(10)).toBe(true)
  expect(clock.now).toBe(900)
})

test('what does not come is given up', async () => {
  const { clock, reached } = setting((now) => Math.min(3, now))
  expect(await reached(4)).toBe(false)
  expect(clock.now).toBeLessThan(110)
})
