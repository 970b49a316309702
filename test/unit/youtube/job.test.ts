import { expect, test } from 'vitest'

import {
  advance,
  holdsLease,
  lapse,
  leased,
  leasedUntil,
  placed,
  reconcile,
  released,
  reopened,
  restored,
  tallyOf,
} from '../../../src/youtube/job.ts'
import { given, job, leaseMs, now, scan } from './job-fixtures.ts'

test('each lease is greater than all before it, and only the last one counts', () => {
  const first = given('1')
  const second = leased(released(first), 'other')
  expect([first.lease?.token, second.lease.token]).toEqual([1, 2])
  expect(holdsLease(first, 'nas', 1)).toBe(true)
  expect(holdsLease(released(first), 'nas', 1)).toBe(false)
  expect(holdsLease(second, 'nas', 1)).toBe(false)
  expect(holdsLease(second, 'other', 1)).toBe(false)
  expect(holdsLease(second, 'other', 2)).toBe(true)
  expect(holdsLease(placed(first, scan), 'nas', 1)).toBe(false)
  expect(holdsLease(undefined, 'nas', 1)).toBe(false)
})

test('who comes back keeps what is still its own, drops the rest, and gives up what it forgot', () => {
  const away = leasedUntil(given('1'), now + leaseMs, { phase: 'processing', percent: 93 })
  const { kept, drop, over, lost } = reconcile([away, given('2'), given('3', 'other')], 'nas', [
    { jobId: '1', lease: 1 },
    { jobId: '3', lease: 1 },
    { jobId: '4', lease: 7 },
  ])
  expect(kept).toEqual([{ ...away, lease: { holder: 'nas', token: 1, until: Infinity } }])
  expect(drop).toEqual(['3'])
  expect(over).toEqual([{ jobId: '4', lease: 7 }])
  expect(lost.map(({ id, state }) => [id, state])).toEqual([['2', 'waiting']])
})

test('a lease outlives a minute of silence, and not a moment more', () => {
  const heardAt = (at: number | undefined) => () => at
  expect(lapse([given('1')], heardAt(now - leaseMs), now, leaseMs)).toEqual([])
  expect(lapse([given('1')], heardAt(now - leaseMs - 1), now, leaseMs)).toMatchObject([{ state: 'waiting' }])
})

test('a lost connection leaves a minute to come back in, whoever notices', () => {
  const away = leasedUntil(given('1'), now + leaseMs)
  const gone = () => undefined
  expect(lapse([away], gone, now + leaseMs - 1, leaseMs)).toEqual([])
  expect(lapse([away], gone, now + leaseMs, leaseMs)).toMatchObject([{ state: 'waiting' }])
  expect(lapse([given('1')], gone, now, leaseMs)).toMatchObject([
    { state: 'leased', lease: { until: now + leaseMs } },
  ])
  expect(lapse([away], () => now, now, leaseMs)).toMatchObject([{ lease: { until: Infinity } }])
})

test('waiting and scanning jobs have no lease that could lapse', () => {
  expect(lapse([job('1'), released(given('2')), placed(given('3'), scan)], () => 0, now, leaseMs)).toEqual([])
})

test('progress never goes back within an attempt', () => {
  expect(
    advance({ phase: 'downloading', percent: 40 }, { phase: 'processing', percent: 12, etaSeconds: 3 }),
  ).toEqual({ phase: 'processing', percent: 40, etaSeconds: 3 })
})

test('a job stored by an earlier release can be read', () => {
  const { extras: _extras, ...stored } = given('1')
  expect(restored(stored)).toEqual(given('1'))
  const sound = { ...given('1'), extras: { chapters: false, thumbnail: false } }
  expect(restored(sound)).toEqual(sound)
})

test('a try that somebody has asked for begins with all tries left', () => {
  const { tally, attempt } = reopened({ ...job('1') }, 4, now)
  expect([attempt, tally?.tries]).toEqual([4, 0])
  expect(tallyOf(job('1', { attempt: 3 }))).toMatchObject({ tries: 2, fresh: 0 })
})
