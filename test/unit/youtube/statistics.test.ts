import { expect, test } from 'vitest'

import { lastDays, shapeStatistics } from '../../../src/youtube/statistics.ts'

const nothing = {
  statuses: [],
  qualities: [],
  accepted: [],
  ended: [],
  failures: [],
  medianSeconds: undefined,
}

test('the last days end with today, in UTC, across the end of a month', () => {
  expect(lastDays(3, Date.parse('2026-03-01T00:30:00+02:00'))).toEqual([
    '2026-02-26',
    '2026-02-27',
    '2026-02-28',
  ])
  expect(lastDays(1, Date.parse('2026-03-01T23:59:59.999Z'))).toEqual(['2026-03-01'])
  expect(new Set(lastDays(90, Date.parse('2026-03-30T01:00:00Z'))).size).toBe(90)
})

test('without downloads everything is zero, and there is no rate and no median', () => {
  const byStatus = { queued: 0, running: 0, retrying: 0, scanning: 0, completed: 0, failed: 0, cancelled: 0 }
  expect(shapeStatistics(nothing, ['2026-03-01'])).toEqual({
    total: 0,
    byStatus,
    bytes: 0,
    libraryBytes: 0,
    byQuality: [],
    byDay: [{ day: '2026-03-01', accepted: 0, completed: 0, failed: 0, bytes: 0 }],
    failures: [],
  })
})

test('sums are spread over states and days; what lies before the days is not told by day', () => {
  const day = '2026-03-02'
  const shaped = shapeStatistics(
    {
      statuses: [
        { status: 'completed', count: 3, bytes: 70, libraryBytes: 20 },
        { status: 'failed', count: 1, bytes: 0, libraryBytes: 0 },
        { status: 'queued', count: 2, bytes: 0, libraryBytes: 0 },
      ],
      qualities: [
        { quality: '360p', count: 1, bytes: 10 },
        { quality: 'best', count: 2, bytes: 60 },
      ],
      accepted: [
        { day, count: 4 },
        { day: '2026-01-01', count: 9 },
      ],
      ended: [
        { day, status: 'completed', count: 2, bytes: 30 },
        { day, status: 'failed', count: 1, bytes: 0 },
        { day, status: 'cancelled', count: 1, bytes: 5 },
      ],
      failures: [
        { code: 'network', count: 1 },
        { code: 'bot-check', count: 3 },
      ],
      medianSeconds: 61.5,
    },
    ['2026-03-01', day],
  )
  expect(shaped).toMatchObject({
    total: 6,
    byStatus: { completed: 3, failed: 1, queued: 2, cancelled: 0 },
    bytes: 70,
    libraryBytes: 20,
    successRate: 0.75,
    medianSeconds: 61.5,
  })
  expect(shaped.byQuality.map(({ quality }) => quality)).toEqual(['best', '360p'])
  expect(shaped.byDay).toEqual([
    { day: '2026-03-01', accepted: 0, completed: 0, failed: 0, bytes: 0 },
    { day, accepted: 4, completed: 2, failed: 1, bytes: 30 },
  ])
  expect(shaped.failures.map(({ code }) => code)).toEqual(['bot-check', 'network'])
})
