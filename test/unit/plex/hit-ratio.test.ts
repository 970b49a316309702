import { expect, test } from 'vitest'

import { addReads, hitRatioOf, type ReadsByHour } from '../../../src/plex/hit-ratio.ts'

const hour = 3_600_000
const start = 500_000 * hour

test('of nothing read there is no ratio', () => {
  expect(hitRatioOf({}, start)).toEqual({ reads: 0, hours: 24 })
})

test('all of the last day counts, whoever read it, and nothing older', () => {
  let known: ReadsByHour = addReads({}, { cached: 0, asked: 1_000 }, start)
  known = addReads(known, { cached: 2, asked: 1 }, start + hour)
  known = addReads(known, { cached: 1, asked: 0 }, start + 2 * hour - 1)
  known = addReads(known, { cached: 5, asked: 1 }, start + 24 * hour)
  expect(hitRatioOf(known, start + 24 * hour)).toEqual({ hitRatio: 0.8, reads: 10, hours: 24 })
  expect(hitRatioOf(known, start + 25 * hour)).toEqual({ hitRatio: 0.833, reads: 6, hours: 24 })
  expect(Object.keys(known)).toHaveLength(2)
})
