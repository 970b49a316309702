import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { nextSeq } from '../../../src/live/sequence.ts'

test('numbers grow whatever the clock does', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 4_000_000_000_000 }), { minLength: 2 }), (clock) => {
      let last = 0
      for (const now of clock) {
        const seq = nextSeq(last, now)
        expect(seq).toBeGreaterThan(last)
        expect(Number.isSafeInteger(seq)).toBe(true)
        last = seq
      }
    }),
  )
})

test('who remembers nothing goes on above what was counted before, a thousand events a millisecond or fewer', () => {
  let last = 0
  for (let count = 0; count < 1_000; count += 1) last = nextSeq(last, 1_800_000_000_000)
  expect(nextSeq(0, 1_800_000_000_001)).toBeGreaterThan(last)
})
