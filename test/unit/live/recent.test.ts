import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { Recent } from '../../../src/live/recent.ts'

const steps = fc.array(fc.integer({ min: 1, max: 5 }), { maxLength: 40 })

test('what is told of the past is complete, or nothing is told', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 8 }),
      fc.nat(10),
      steps,
      fc.integer({ min: 0, max: 220 }),
      (capacity, start, gaps, since) => {
        const recent = new Recent<{ readonly seq: number }>(capacity, start)
        const all: number[] = []
        let seq = start
        for (const gap of gaps) {
          seq += gap
          all.push(seq)
          recent.add({ seq })
        }
        const told = recent.after(since)?.map((event) => event.seq)
        const missed = all.filter((each) => each > since)
        const covered = since >= start && missed.length <= capacity
        expect(told).toEqual(covered ? missed : undefined)
      },
    ),
  )
})
