import { expect, test } from 'vitest'

import { leasedUntil, placed } from '../../../src/youtube/job.ts'
import { liveState, restsEndAt, wakeAt } from '../../../src/youtube/waits.ts'
import { given, inPlace, job, now, scan, site, situation, willing } from './job-fixtures.ts'

const iso = (at: number) => new Date(at).toISOString()
const tiredUntil = (until: number) => [{ site, reason: 'bot-check' as const, until }]
const rests = tiredUntil(now + 900)

test.each([
  ['nobody is connected', job('1'), situation([], []), { waitingFor: 'downloader' }],
  ['all slots are taken', job('1'), situation([given('2')], [willing('nas')]), { waitingFor: 'slot' }],
  [
    'the queue is paused',
    job('1', { notBefore: now + 9 }),
    situation([], [willing('nas')], { paused: true }),
    { waitingFor: 'resume' },
  ],
  [
    'it is tried again later',
    job('1', { notBefore: now + 9 }),
    situation([], [willing('nas')]),
    { waitingFor: 'retry', waitingUntil: iso(now + 9) },
  ],
  [
    'the only downloader cannot do it',
    job('1', { avoid: ['nas'] }),
    situation([], [willing('nas')]),
    { waitingFor: 'downloader' },
  ],
  [
    'no disk has room',
    job('1', { neededBytes: 2e12 }),
    situation([], [willing('nas')]),
    { waitingFor: 'space' },
  ],
  [
    'its site is at rest',
    job('1'),
    situation([], [willing('nas', { rests }), willing('vps', { rests: tiredUntil(now + 50) })]),
    { waitingFor: 'site', waitingUntil: iso(now + 50) },
  ],
  [
    'its site is busy',
    job('1'),
    situation([given('2')], [willing('nas', { slots: 3 })], { perSite: 1 }),
    { waitingFor: 'site' },
  ],
  [
    'a twin is on its way',
    job('1', { videoId: 'same' }),
    situation([inPlace('2', { videoId: 'same' })], [willing('nas')]),
    { waitingFor: 'twin' },
  ],
])('it is said that %s', (_, waiting, around, expected) => {
  expect(liveState(waiting, undefined, around, now)).toEqual({ progress: 0, ...expected })
})

test('what is under way says how far it is', () => {
  const none = situation([], [])
  expect(liveState(given('1'), undefined, none, now)).toEqual({ progress: 0 })
  expect(liveState(given('1'), { phase: 'downloading', percent: 7 }, none, now)).toEqual({
    progress: 7,
    phase: 'downloading',
  })
  expect(liveState(inPlace('1'), undefined, none, now)).toEqual({ progress: 100, waitingFor: 'plex' })
})

test('the queue wakes for what comes at a known time, and for nothing else', () => {
  const nas = willing('nas')
  const unwilling = willing('nas', { unwillingUntil: now + 500 })
  const tired = willing('nas', { rests })
  expect(wakeAt(situation([], [nas]), now)).toBeUndefined()
  expect(wakeAt(situation([job('1')], []), now)).toBeUndefined()
  expect(wakeAt(situation([given('1'), inPlace('2')], [nas]), now)).toBeUndefined()
  expect(wakeAt(situation([job('1')], [unwilling]), now)).toBe(now + 500)
  expect(wakeAt(situation([job('1', { notBefore: now + 70 })], [unwilling]), now)).toBe(now + 70)
  expect(wakeAt(situation([leasedUntil(given('1'), now + 9)], []), now)).toBe(now + 9)
  expect(wakeAt(situation([placed(given('1'), { ...scan, requested: false })], []), now)).toBeGreaterThan(now)
  expect(wakeAt(situation([job('1')], [tired]), now)).toBeUndefined()
  expect(restsEndAt(situation([job('1')], [tired]), now)).toBe(now + 900)
})

test('nobody is woken for what would still have to wait', () => {
  const tired = willing('nas', { rests })
  expect(restsEndAt(situation([job('1')], [tired], { paused: true }), now)).toBeUndefined()
  expect(restsEndAt(situation([job('1', { avoid: ['nas'] })], [tired]), now)).toBeUndefined()
  expect(restsEndAt(situation([job('1', { neededBytes: 2e12 })], [tired]), now)).toBeUndefined()
  expect(restsEndAt(situation([job('1'), given('2')], [tired]), now)).toBeUndefined()
  expect(restsEndAt(situation([job('1', { url: 'https://films.example/1' })], [tired]), now)).toBeUndefined()
})
