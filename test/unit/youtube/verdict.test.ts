import fc from 'fast-check'
import { expect, test } from 'vitest'

import { failureCodes, isRetryable, policyOf, type FailureCode } from '#contract/failures.ts'

import { leased, type Job } from '../../../src/youtube/job.ts'
import { restFor, verdictOn, withoutEvidence, type Circumstances } from '../../../src/youtube/verdict.ts'
import { given, now, site, willing } from './job-fixtures.ts'

const failure = (code: FailureCode, retryAt?: number) => ({
  code,
  retryable: isRetryable(code),
  ...(retryAt !== undefined && { retryAt: new Date(retryAt).toISOString() }),
})
const circumstances = (changes: Partial<Circumstances> = {}): Circumstances => ({
  candidates: [willing('nas')],
  retry: { tries: 3, retryBaseMs: 1_000 },
  now,
  random: 1,
  ...changes,
})
const rests = (until: number) => [{ site, reason: 'bot-check' as const, until }]

/** What becomes of it; `undefined` when it has failed. */
const next = (job: Job, code: FailureCode, changes?: Partial<Circumstances>, retryAt?: number) => {
  const verdict = verdictOn(job, failure(code, retryAt), circumstances(changes))
  return verdict.kind === 'again' ? verdict.job : undefined
}
/** Fails again and again: how many more times it is tried. */
function triesOf(code: FailureCode, changes?: Partial<Circumstances>): number {
  let job: Job | undefined = given('1')
  for (let count = 0; count < 500; count += 1) {
    const again = next(job, code, changes)
    if (!again) return count
    job = leased(again, 'nas')
  }
  return Infinity
}

test('tries double their distance, each apart from others, and come to an end', () => {
  const second = next(given('1'), 'network')
  expect(second).toMatchObject({ state: 'waiting', attempt: 2, notBefore: now + 1_000 })
  expect(next(given('1'), 'network', { random: 0 })).toMatchObject({ notBefore: now + 500 })
  if (!second) return
  expect(next(leased(second, 'nas'), 'stalled')).toMatchObject({ attempt: 3, notBefore: now + 2_000 })
  expect(triesOf('server-error')).toBe(2)
  expect(next(given('1'), 'network', {}, now + 3_600_000)).toMatchObject({ notBefore: now + 3_600_000 })
})

test('a job from an older release has used the tries it has had', () => {
  expect(next(given('1', 'nas', { attempt: 2 }), 'network')).toMatchObject({ attempt: 3 })
  expect(next(given('1', 'nas', { attempt: 3 }), 'network')).toBeUndefined()
})

test('a downloader that knows better is believed', () => {
  const certain = { ...failure('network'), retryable: false }
  expect(verdictOn(given('1'), certain, circumstances())).toEqual({ kind: 'failed', failure: certain })
})

test('new addresses are fetched twice, and that costs no try', () => {
  expect(triesOf('forbidden')).toBe(2)
  const third = next(
    given('1', 'nas', { attempt: 3, tally: { tries: 0, fresh: 2, moves: 0, rests: 0, holds: 0 } }),
    'network',
  )
  expect(third).toMatchObject({ attempt: 4 })
})

test('what one cannot do another gets, and not the first again', () => {
  const candidates = [willing('nas'), willing('vps')]
  const moved = next(given('1'), 'geo-blocked', { candidates })
  expect(moved).toMatchObject({ avoid: ['nas'], attempt: 1, notBefore: 0 })
  if (!moved) return
  expect(next(leased(moved, 'vps'), 'login-required', { candidates })).toBeUndefined()
  expect(next(given('1'), 'geo-blocked')).toBeUndefined()
})

test('a site that refuses one downloader costs nothing while another is open', () => {
  const candidates = [willing('nas', { rests: rests(now + 9_000) }), willing('vps')]
  expect(next(given('1'), 'bot-check', { candidates })).toMatchObject({ attempt: 1, notBefore: 0 })
  expect(triesOf('bot-check', { candidates })).toBe(10 + 3)
})

test('where no other is open it waits for the first rest to end, a few times only', () => {
  const candidates = [
    willing('nas', { rests: rests(now + 9_000) }),
    willing('vps', { rests: rests(now + 5_000) }),
    willing('full', { freeBytes: 0 }),
  ]
  const verdict = verdictOn(
    given('1', 'nas', { neededBytes: 1 }),
    failure('rate-limited'),
    circumstances({ candidates }),
  )
  expect(verdict).toMatchObject({
    kind: 'again',
    failure: { retryAt: new Date(now + 5_000).toISOString() },
    job: { attempt: 1, tally: { rests: 1, moves: 0 } },
  })
  expect(triesOf('rate-limited', { candidates: candidates.slice(0, 2) })).toBe(3)
  expect(triesOf('bot-check', { candidates: [] })).toBe(3)
})

test('a full disk costs no try, and there is no pause where the disk itself keeps the job away', () => {
  const candidates = [willing('nas', { freeBytes: 5 })]
  expect(next(given('1'), 'no-space', { candidates, neededBytes: 6 })).toMatchObject({
    neededBytes: 6,
    notBefore: 0,
    attempt: 1,
  })
  expect(next(given('1'), 'no-space', { candidates, neededBytes: 4 })).toMatchObject({
    notBefore: now + 60_000,
  })
  const later = next(
    given('1', 'nas', { tally: { tries: 0, fresh: 0, moves: 0, rests: 0, holds: 9 } }),
    'no-space',
  )
  expect(later).toMatchObject({ notBefore: now + 3_600_000 })
})

test('a broadcast is waited for as long as it says, or an hour, and no longer than a week', () => {
  const day = 24 * 3_600_000
  expect(next(given('1'), 'live-not-started')).toMatchObject({ notBefore: now + 3_600_000, attempt: 1 })
  expect(next(given('1'), 'live-not-started', {}, now + 6 * day)).toMatchObject({ notBefore: now + 6 * day })
  expect(next(given('1'), 'live-processing', {}, now + 8 * day)).toBeUndefined()
  const held = { tries: 0, fresh: 0, moves: 0, rests: 0, holds: 3, heldSince: now - 6 * day }
  expect(next(given('1', 'nas', { tally: held }), 'live-processing')).toBeDefined()
  const long = { ...held, heldSince: now - 7 * day }
  expect(next(given('1', 'nas', { tally: long }), 'live-processing')).toBeUndefined()
})

test('only a site that refuses is left alone, and by the blame of no video', () => {
  const rested = failureCodes.filter((code) => restFor(given('1'), failure(code), now) !== undefined)
  expect(rested).toEqual(['bot-check', 'rate-limited'])
  expect(rested.every((code) => policyOf(code).blame === 'site')).toBe(true)
  expect(restFor(given('1'), failure('rate-limited', now + 7), now)).toEqual({
    site,
    reason: 'rate-limited',
    until: now + 7,
  })
})

test('its owner hears nothing of what the tools said', () => {
  expect(withoutEvidence({ ...failure('network'), evidence: ['x'] })).toEqual(failure('network'))
})

test('no sequence of failures goes on for ever, and what goes on keeps its place in the queue', () => {
  const code = fc.constantFrom(...failureCodes)
  fc.assert(
    fc.property(
      fc.infiniteStream(fc.tuple(code, fc.integer({ min: 1, max: 3_600_000 }), fc.boolean())),
      (stream) => {
        let job: Job | undefined = given('1')
        let at = now
        for (const [said, passed, isOpen] of stream.take(30_000)) {
          const candidates = [
            willing('nas', { freeBytes: 5, rests: rests(at + 9) }),
            willing('vps', { rests: isOpen ? [] : rests(at) }),
          ]
          const again = next(job, said, { candidates, now: at, neededBytes: 6 })
          if (!again) return
          expect(again).toMatchObject({ state: 'waiting', id: '1', createdAt: job.createdAt })
          at = Math.max(at + passed, again.notBefore)
          job = leased(again, again.avoid?.includes('nas') ? 'vps' : 'nas')
        }
        expect.unreachable('it never ended')
      },
    ),
    { numRuns: 100 },
  )
})
