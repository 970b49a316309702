import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import type { HealthStatus } from '../../../src/contract/health.ts'
import { percentile, summarise, uptimePercent, worst, type Point } from '../../../src/health/statistics.ts'

const status = fc.constantFrom<HealthStatus>('healthy', 'degraded', 'unhealthy', 'unknown')
const point: fc.Arbitrary<Point> = fc.record({ at: fc.nat(10_000), status, latencyMs: fc.nat(500) })

test('uptime is the share of known samples in which a service was of use', () => {
  expect(uptimePercent([])).toBeUndefined()
  expect(uptimePercent(['unknown', 'unknown'])).toBeUndefined()
  expect(uptimePercent(['healthy', 'degraded', 'unhealthy', 'unknown'])).toBe(66.666)
  expect(uptimePercent(['unhealthy'])).toBe(0)
})

test('uptime is a hundred only when nothing was down', () => {
  fc.assert(
    fc.property(fc.array(status, { minLength: 1, maxLength: 200 }), (statuses) => {
      const uptime = uptimePercent(statuses)
      const known = statuses.filter((each) => each !== 'unknown')
      expect(uptime === 100).toBe(known.length > 0 && !known.includes('unhealthy'))
      if (uptime !== undefined) expect(uptime).toBeGreaterThanOrEqual(0)
    }),
  )
  expect(
    uptimePercent([...Array.from({ length: 999_999 }, () => 'healthy' as const), 'unhealthy']),
  ).toBeLessThan(100)
})

test('a percentile is a value that was measured, with that share of values not above it', () => {
  expect(percentile([], 50)).toBeUndefined()
  expect(percentile([7], 95)).toBe(7)
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_000), { minLength: 1 }),
      fc.integer({ min: 0, max: 100 }),
      (values, percent) => {
        const value = percentile(values, percent) ?? Number.NaN
        const share = (wanted: (each: number) => boolean) =>
          (100 * values.filter(wanted).length) / values.length
        expect(values).toContain(value)
        expect(share((each) => each <= value)).toBeGreaterThanOrEqual(percent)
        expect(share((each) => each < value)).toBeLessThanOrEqual(percent)
      },
    ),
  )
})

test('the worst is unknown only when nothing is known', () => {
  fc.assert(
    fc.property(fc.array(point, { minLength: 1 }), (points) => {
      const found = worst(points)?.status
      const order: readonly HealthStatus[] = ['unhealthy', 'degraded', 'healthy', 'unknown']
      expect(found).toBe(order.find((each) => points.some((sample) => sample.status === each)))
    }),
  )
})

test('a summary loses no interval and no trouble', () => {
  fc.assert(
    fc.property(fc.array(point), fc.integer({ min: 1, max: 3_000 }), (points, intervalMs) => {
      const summary = summarise(points, intervalMs)
      const starts = summary.map(({ at }) => at)
      expect(starts).toEqual([...new Set(starts)].toSorted((a, b) => a - b))
      for (const sample of points) {
        const interval = summary.find(({ at }) => at <= sample.at && sample.at < at + intervalMs)
        expect(interval).toBeDefined()
        if (sample.status === 'unhealthy') expect(interval?.status).toBe('unhealthy')
      }
    }),
  )
})

test('an interval shows its median latency and the cause of its worst sample', () => {
  const points: Point[] = [
    { at: 60_000, status: 'healthy', latencyMs: 10 },
    { at: 61_000, status: 'unhealthy', cause: 'timeout' },
    { at: 62_000, status: 'degraded', cause: 'slow', latencyMs: 900 },
    { at: 63_000, status: 'healthy', latencyMs: 20 },
    { at: 120_000, status: 'healthy' },
  ]
  expect(summarise(points, 60_000)).toEqual([
    { at: 60_000, status: 'unhealthy', cause: 'timeout', latencyMs: 20 },
    { at: 120_000, status: 'healthy' },
  ])
})
