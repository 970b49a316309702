import fc from 'fast-check'
import { expect, test } from 'vitest'

import { assign, twinsOf, type Candidate, type Situation } from '../../../src/youtube/assign.ts'
import type { Job } from '../../../src/youtube/job.ts'
import { given, inPlace, job, now, site, situation, willing } from './job-fixtures.ts'

const handed = (given: Situation): string[] =>
  assign(given, now).map(({ id, lease }) => `${id} to ${lease.holder}`)
const resting = (until: number, reason: 'pace' | 'bot-check' = 'bot-check') => [{ site, reason, until }]

test('the oldest job goes first, and to whoever has the most free slots', () => {
  const jobs = [job('3'), job('1'), job('2'), given('9', 'big')]
  const candidates = [willing('big', { slots: 2 }), willing('small', { slots: 2 })]
  expect(handed(situation(jobs, candidates))).toEqual(['1 to small', '2 to big', '3 to small'])
})

test('who has the fewest jobs running goes first, however late', () => {
  const jobs = [
    given('0', 'nas', { userId: 'greedy' }),
    ...['1', '2', '3'].map((id) => job(id, { userId: 'greedy' })),
    job('4', { userId: 'modest' }),
    job('5', { userId: 'modest' }),
  ]
  const four = situation(jobs, [willing('nas', { slots: 5 })])
  expect(handed(four)).toEqual(['4 to nas', '1 to nas', '5 to nas', '2 to nas'])
})

test('nothing goes to the unwilling, before its time, twice, or while the queue is paused', () => {
  const nas = willing('nas', { slots: 4 })
  expect(handed(situation([job('1')], [willing('nas', { unwillingUntil: now + 1 })]))).toEqual([])
  expect(handed(situation([job('1', { notBefore: now + 1 })], [nas]))).toEqual([])
  expect(handed(situation([given('1'), inPlace('2')], [nas]))).toEqual([])
  expect(handed(situation([job('1')], [nas], { paused: true }))).toEqual([])
})

test('a downloader has no more jobs at a site than it may', () => {
  const other = { url: 'https://films.example/1' }
  const jobs = [given('1'), job('2'), job('3'), job('4', other)]
  const nas = situation(jobs, [willing('nas', { slots: 9 })], { perSite: 2 })
  expect(handed(nas)).toEqual(['2 to nas', '4 to nas'])
  const both = { ...nas, candidates: [...nas.candidates, willing('vps')] }
  expect(handed(both)).toEqual(['2 to nas', '3 to vps', '4 to nas'])
})

test('who cannot do it, or has no room for it, does not get it', () => {
  const candidates = [willing('nas'), willing('vps', { freeBytes: 5 })]
  expect(handed(situation([job('1', { avoid: ['nas'] })], candidates))).toEqual(['1 to vps'])
  expect(handed(situation([job('1', { avoid: ['nas'], neededBytes: 6 })], candidates))).toEqual([])
  expect(handed(situation([job('1', { neededBytes: 6 })], candidates))).toEqual(['1 to nas'])
})

test('a site at rest is left alone, and by that downloader only', () => {
  const tired = willing('nas', { slots: 4, rests: resting(now + 1, 'pace') })
  expect(handed(situation([job('1')], [tired]))).toEqual([])
  expect(handed(situation([job('1')], [tired, willing('vps')]))).toEqual(['1 to vps'])
  expect(handed(situation([job('1', { url: 'https://films.example/1' })], [tired]))).toEqual(['1 to nas'])
  expect(
    handed(situation([job('1'), job('2')], [willing('nas', { slots: 4, rests: resting(now, 'pace') })])),
  ).toHaveLength(2)
})

test('a site that refused is tried with one job, and where nothing must be tried jobs go first', () => {
  const trying = willing('nas', { slots: 4, rests: resting(now) })
  expect(handed(situation([job('1'), job('2')], [trying]))).toEqual(['1 to nas'])
  expect(handed(situation([given('1'), job('2')], [trying]))).toEqual([])
  expect(handed(situation([job('1'), job('2')], [trying, willing('vps')]))).toEqual(['1 to vps', '2 to nas'])
})

test('a site is not tried with the job it has refused, while there is another that could', () => {
  const refused = job('1', { tally: { tries: 0, fresh: 0, moves: 0, rests: 1, holds: 0 } })
  const trying = [willing('nas', { rests: resting(now) })]
  expect(handed(situation([refused, job('2')], trying))).toEqual(['2 to nas'])
  expect(handed(situation([refused, job('2', { avoid: ['nas'] })], trying))).toEqual(['1 to nas'])
  expect(handed(situation([refused, job('2', { notBefore: now + 1 })], trying))).toEqual(['1 to nas'])
})

test('who lacks its tools gets a job only where nobody else is free', () => {
  const unfit = willing('nas', { slots: 9, isUnfit: true })
  expect(handed(situation([job('1'), job('2')], [unfit, willing('vps')]))).toEqual(['1 to vps', '2 to nas'])
})

test('what somebody else is fetching in the same form waits for that', () => {
  const same = { videoId: 'same' }
  const nas = [willing('nas', { slots: 9 })]
  expect(handed(situation([job('1', same), job('2', { ...same, userId: 'fatima' })], nas))).toEqual([
    '1 to nas',
  ])
  expect(handed(situation([given('1', 'vps', same), job('2', same)], nas))).toEqual([])
  expect(handed(situation([inPlace('1', same), job('2', same)], nas))).toEqual([])
  expect(
    handed(situation([given('1', 'vps', same), job('2', { ...same, format: 'mkv' })], nas)),
  ).toHaveLength(1)
  const jobs = [given('1', 'vps', same), job('2', same), job('3'), job('4', { ...same, quality: '360p' })]
  expect(twinsOf(given('1', 'vps', same), jobs).map(({ id }) => id)).toEqual(['2'])
})

test('a video whose file is on its way out is not put there before it is gone', () => {
  const removing = [{ downloaderId: 'nas', videoId: 'video-1' }]
  expect(handed(situation([job('1')], [willing('nas')], { removing }))).toEqual([])
  expect(handed(situation([job('1')], [willing('nas'), willing('vps')], { removing }))).toEqual(['1 to vps'])
})

const anyJob = fc
  .record({
    user: fc.constantFrom('a', 'b', 'c'),
    video: fc.constantFrom('v', 'w', 'x', 'y', 'z'),
    host: fc.constantFrom('www.youtube.com', 'films.example'),
    state: fc.constantFrom('waiting', 'waiting', 'waiting', 'nas', 'vps'),
    avoid: fc.subarray(['nas', 'vps']),
    neededBytes: fc.constantFrom(0, 0, 10),
    refused: fc.nat({ max: 1 }),
  })
  .map(({ user, video, host, state, avoid, neededBytes, refused }) => (id: string): Job => {
    const url = `https://${host}/${video}`
    const tally = { tries: 0, fresh: 0, moves: 0, rests: refused, holds: 0 }
    const changes = { userId: user, videoId: `${host} ${video}`, url, avoid, neededBytes, tally }
    return state === 'waiting' ? job(id, changes) : given(id, state, { ...changes, avoid: [] })
  })
const anyCandidate = (downloaderId: string): fc.Arbitrary<Candidate> =>
  fc.record({
    downloaderId: fc.constant(downloaderId),
    slots: fc.integer({ min: 1, max: 4 }),
    unwillingUntil: fc.constantFrom(0, 0, now + 1),
    freeBytes: fc.constantFrom(5, 50),
    rests: fc.constantFrom(
      [],
      [],
      [{ site, reason: 'bot-check' as const, until: now }],
      [{ site, reason: 'pace' as const, until: now + 5 }],
    ),
  })

test('whatever there is, no limit is exceeded, nobody is passed over, and nothing that could go is left', () => {
  fc.assert(
    fc.property(
      fc.array(anyJob, { maxLength: 9 }),
      anyCandidate('nas'),
      anyCandidate('vps'),
      fc.integer({ min: 1, max: 3 }),
      (made, nas, vps, perSite) => {
        const jobs = made.map((make, index) => make(String(index)))
        const before = situation(jobs, [nas, vps], { perSite })
        let known = jobs
        for (const granted of assign(before, now)) {
          const running = (user: string) =>
            known.filter(({ state, userId }) => state === 'leased' && userId === user).length
          const rivals = known.filter(
            (rival) =>
              running(rival.userId) < running(granted.userId) &&
              assign(
                { ...before, jobs: known.filter((each) => each === rival || each.state !== 'waiting') },
                now,
              ).length > 0,
          )
          expect(
            rivals.filter(({ tally }) => tally?.rests === 0),
            'nobody is passed over',
          ).toEqual([])
          known = known.map((each) => (each.id === granted.id ? granted : each))
        }
        for (const { downloaderId, slots, rests } of [nas, vps]) {
          const fresh = known.filter(
            (each, index) => each !== jobs[index] && each.lease?.holder === downloaderId,
          )
          const held = known.filter(({ lease }) => lease?.holder === downloaderId)
          if (fresh.length > 0) expect(held.length).toBeLessThanOrEqual(slots)
          const there = fresh.filter(({ url }) => url.includes('youtube'))
          const all = held.filter(({ url }) => url.includes('youtube'))
          if (there.length > 0) expect(all.length).toBeLessThanOrEqual(rests.length > 0 ? 1 : perSite)
          for (const each of fresh) expect(each.avoid).not.toContain(downloaderId)
        }
        expect(assign({ ...before, jobs: known }, now)).toEqual([])
      },
    ),
    { numRuns: 800 },
  )
})
