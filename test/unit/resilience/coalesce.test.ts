import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { type CoalescePolicy, dueAt, note, type Pending } from '../../../src/resilience/coalesce.ts'

const policy: CoalescePolicy = { quietMs: 5_000, maxMs: 60_000 }

function noteAll(times: readonly number[], pending?: Pending): Pending | undefined {
  return times.reduce<Pending | undefined>((pending, now) => note(pending, now), pending)
}

function due(times: readonly [number, ...number[]], policy: CoalescePolicy): number {
  const [first, ...rest] = times
  return dueAt(
    rest.reduce((pending, now) => note(pending, now), note(undefined, first)),
    policy,
  )
}

const times = fc.array(fc.nat(200_000), { minLength: 1, maxLength: 40 })
const policies = fc.record({ quietMs: fc.nat(10_000), maxMs: fc.nat(100_000) })

test('one request is due after the quiet time', () => {
  expect(note(undefined, 7)).toEqual({ firstAt: 7, lastAt: 7, count: 1 })
  expect(due([7], policy)).toBe(5_007)
})

test('another one puts it off, and is counted', () => {
  expect(noteAll([0, 4_000])).toEqual({ firstAt: 0, lastAt: 4_000, count: 2 })
  expect(due([0, 4_000], policy)).toBe(9_000)
})

test('noise without end is due at the ceiling', () => {
  expect(due([0, 54_999], policy)).toBe(59_999)
  expect(due([0, 55_000], policy)).toBe(60_000)
  expect(due([0, 59_999], policy)).toBe(60_000)
})

test('a ceiling below the quiet time is the one that holds', () => {
  expect(due([0], { quietMs: 50, maxMs: 10 })).toBe(10)
})

test('the order of requests does not matter', () => {
  fc.assert(
    fc.property(
      times.chain((times) =>
        fc.tuple(fc.constant(times), fc.shuffledSubarray(times, { minLength: times.length })),
      ),
      ([times, shuffled]) => {
        expect(noteAll(shuffled)).toEqual(noteAll(times))
      },
    ),
  )
})

test('the same request again changes the count and nothing else', () => {
  fc.assert(
    fc.property(times, fc.nat(200_000), (times, at) => {
      const once = noteAll([...times, at])
      expect(noteAll([at], once)).toEqual({ ...once, count: times.length + 2 })
    }),
  )
})

test('it is due no later than quiet after the last and the ceiling after the first, and exactly at one of them', () => {
  fc.assert(
    fc.property(times, policies, (times, policy) => {
      const pending = noteAll(times)
      const at = pending ? dueAt(pending, policy) : Number.NaN
      const quiet = Math.max(...times) + policy.quietMs
      const ceiling = Math.min(...times) + policy.maxMs
      expect(at).toBeLessThanOrEqual(quiet)
      expect(at).toBeLessThanOrEqual(ceiling)
      expect([quiet, ceiling]).toContain(at)
    }),
  )
})

test('a steady stream makes one piece of work for each ceiling, not one for each request', () => {
  let pending: Pending | undefined
  let works = 0
  for (let now = 0; now < 600_000; now += 100) {
    if (pending && now >= dueAt(pending, policy)) {
      works += 1
      pending = undefined
    }
    pending = note(pending, now)
  }
  expect(works).toBe(9)
})

test('a clock set back puts it off by no more than the ceiling', () => {
  const pending = note(note(undefined, 1_000_000), 10)
  expect(dueAt(pending, policy)).toBe(60_010)
})
