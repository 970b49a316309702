import { expect, test } from 'vitest'

import type { Failure } from '#contract/failures.ts'

import {
  advance,
  assign,
  holdsLease,
  lapse,
  leasedUntil,
  liveState,
  newJob,
  placed,
  reconcile,
  released,
  retried,
  wakeAt,
  type Candidate,
  type Job,
} from '../../../src/youtube/job.ts'

const leaseMs = 60_000
const now = 1_000_000

const job = (id: string, changes: Partial<Job> = {}): Job => ({
  ...newJob({
    id,
    userId: 'frank',
    videoId: 'dQw4w9WgXcQ',
    url: 'https://www.youtube.com/watch?v=dQw4w9WgXcQ',
    quality: '1080p',
    format: 'mp4',
    extras: { chapters: true, thumbnail: true },
    createdAt: `2026-10-01T12:00:0${id}.000Z`,
  }),
  ...changes,
})
const willing = (downloaderId: string, slots = 1): Candidate => ({ downloaderId, slots, unwillingUntil: 0 })
const given = (id: string, to = 'nas'): Job => {
  const [only] = assign([job(id)], [willing(to)], now)
  if (!only) throw new Error('nobody took it')
  return only
}
const scan = { path: '/media/a', file: '/media/a/b.mp4', since: now, requested: true }
const failure = (changes: Partial<Failure> = {}): Failure => ({
  code: 'network',
  retryable: true,
  ...changes,
})

test('the oldest job goes first, and to whoever has the most free slots', () => {
  const busy = given('9', 'big')
  const jobs = [job('3'), job('1'), job('2'), busy]
  const assigned = assign(jobs, [willing('big', 2), willing('small', 2)], now)
  expect(assigned.map(({ id, lease }) => [id, lease.holder])).toEqual([
    ['1', 'small'],
    ['2', 'big'],
    ['3', 'small'],
  ])
})

test('nothing goes to the unwilling, before its time, or twice', () => {
  expect(assign([job('1')], [{ ...willing('nas'), unwillingUntil: now + 1 }], now)).toEqual([])
  expect(assign([job('1', { notBefore: now + 1 })], [willing('nas')], now)).toEqual([])
  expect(assign([given('1'), placed(given('2'), scan)], [willing('nas', 4)], now)).toEqual([])
})

test('each lease is greater than all before it, and only the last one counts', () => {
  const first = given('1')
  const [second] = assign([released(first)], [willing('other')], now)
  expect([first.lease?.token, second?.lease.token]).toEqual([1, 2])
  expect(holdsLease(first, 'nas', 1)).toBe(true)
  expect(holdsLease(released(first), 'nas', 1)).toBe(false)
  expect(holdsLease(second, 'nas', 1)).toBe(false)
  expect(holdsLease(second, 'other', 1)).toBe(false)
  expect(holdsLease(second, 'other', 2)).toBe(true)
  expect(holdsLease(placed(first, scan), 'nas', 1)).toBe(false)
  expect(holdsLease(undefined, 'nas', 1)).toBe(false)
})

test('who comes back keeps what is still its own, drops the rest, and gives up what it forgot', () => {
  const away = leasedUntil(given('1'), now + leaseMs, 'processing')
  const { kept, drop, lost } = reconcile([away, given('2'), given('3', 'other')], 'nas', [
    { jobId: '1', lease: 1 },
    { jobId: '3', lease: 1 },
    { jobId: '4', lease: 7 },
  ])
  expect(kept).toEqual([{ ...away, lease: { holder: 'nas', token: 1, until: Infinity } }])
  expect(drop).toEqual(['3', '4'])
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

test('tries double their distance, wait for the time that was asked for, and come to an end', () => {
  const policy = { tries: 3, retryBaseMs: 1_000 }
  const second = retried(given('1'), failure(), policy, now)
  expect(second).toMatchObject({ state: 'waiting', attempt: 2, notBefore: now + 1_000 })
  if (!second) return
  expect(retried(second, failure(), policy, now)).toMatchObject({ attempt: 3, notBefore: now + 2_000 })
  expect(retried({ ...second, attempt: 3 }, failure(), policy, now)).toBeUndefined()
  expect(retried(second, failure({ retryable: false }), policy, now)).toBeUndefined()
  const retryAt = new Date(now + 3_600_000).toISOString()
  expect(retried(second, failure({ retryAt }), policy, now)).toMatchObject({ notBefore: now + 3_600_000 })
})

test('the queue wakes for what comes at a known time, and for nothing else', () => {
  const unwilling = { ...willing('nas'), unwillingUntil: now + 500 }
  expect(wakeAt([], [willing('nas')], now)).toBeUndefined()
  expect(wakeAt([job('1')], [], now)).toBeUndefined()
  expect(wakeAt([given('1'), placed(given('2'), scan)], [willing('nas')], now)).toBeUndefined()
  expect(wakeAt([job('1')], [unwilling], now)).toBe(now + 500)
  expect(wakeAt([job('1', { notBefore: now + 70 })], [unwilling], now)).toBe(now + 70)
  expect(wakeAt([leasedUntil(given('1'), now + 9)], [], now)).toBe(now + 9)
  expect(wakeAt([placed(given('1'), { ...scan, requested: false })], [], now)).toBeGreaterThan(now)
})

test('progress never goes back within an attempt', () => {
  expect(
    advance({ phase: 'downloading', percent: 40 }, { phase: 'processing', percent: 12, etaSeconds: 3 }),
  ).toEqual({ phase: 'processing', percent: 40, etaSeconds: 3 })
})

test('a live state says how far it is, or what it waits for', () => {
  expect(liveState(job('1'), undefined, false, now)).toEqual({ progress: 0, waitingFor: 'downloader' })
  expect(liveState(job('1'), undefined, true, now)).toEqual({ progress: 0, waitingFor: 'slot' })
  expect(liveState(job('1', { notBefore: now + 1 }), undefined, true, now)).toEqual({ progress: 0 })
  expect(liveState(given('1'), undefined, true, now)).toEqual({ progress: 0 })
  expect(liveState(given('1'), { phase: 'downloading', percent: 7 }, true, now)).toEqual({
    progress: 7,
    phase: 'downloading',
  })
  expect(liveState(placed(given('1'), scan), undefined, true, now)).toEqual({
    progress: 100,
    waitingFor: 'plex',
  })
})
