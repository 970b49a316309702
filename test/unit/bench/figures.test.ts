import fc from 'fast-check'
import { expect, test } from 'vitest'
import { median, percentile } from '../../bench/statistics.ts'
import { table } from '../../bench/table.ts'
import { seeded, zipf } from '../../bench/zipf.ts'

test('a percentile is one of the values, and that share of them is not above it', () => {
  const values = fc.array(fc.integer(), { minLength: 1 })
  const share = fc.integer({ min: 1, max: 100 }).map((hundredths) => hundredths / 100)
  fc.assert(
    fc.property(values, share, (unsorted, wanted) => {
      const sorted = unsorted.toSorted((a, b) => a - b)
      const found = percentile(sorted, wanted)
      expect(sorted).toContain(found)
      expect(sorted.filter((value) => value <= found).length / sorted.length).toBeGreaterThanOrEqual(
        wanted - 1e-9,
      )
      expect(sorted.filter((value) => value < found).length / sorted.length).toBeLessThan(wanted)
    }),
  )
})

test('the median lies in the middle', () => {
  expect(median([5, 1, 3])).toBe(3)
  expect(median([4, 1, 3, 2])).toBe(2.5)
  expect(median([])).toBeNaN()
})

test('a table is as wide as its widest cells, with numbers to the right', () => {
  const lines = table(
    ['', 'ms'],
    [
      ['cached', '1.2'],
      ['live', '10.25'],
    ],
  ).split('\n')
  expect(lines).toEqual(['           ms', '------  -----', 'cached    1.2', 'live    10.25'])
})

test('the n-th of all is drawn an n-th as often as the first, and the same each time', () => {
  const draws = (seed: number) => {
    const draw = zipf(50, seeded(seed))
    return Array.from({ length: 20_000 }, draw)
  }
  const all = draws(7)
  expect(draws(7)).toEqual(all)
  const countOf = (rank: number) => all.filter((drawn) => drawn === rank).length
  expect(Math.min(...all)).toBe(0)
  expect(Math.max(...all)).toBe(49)
  for (const rank of [1, 4, 9]) expect(countOf(0) / countOf(rank)).toBeCloseTo(rank + 1, -0.5)
})
