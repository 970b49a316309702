import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  emptyWindow,
  peek,
  prune,
  take,
  type Window,
  type WindowPolicy,
} from '../../../src/resilience/sliding-window.ts'

const policy: WindowPolicy = { limit: 3, windowMs: 100 }

const policies = fc.record({
  limit: fc.integer({ min: 1, max: 6 }),
  windowMs: fc.integer({ min: 1, max: 40 }),
})
const steps = (min: number) => fc.array(fc.integer({ min, max: 15 }), { maxLength: 80 })

/** Remembers every admission there ever was, and counts them anew each time. */
function reference({ limit, windowMs }: WindowPolicy) {
  const log: number[] = []
  const admits = (now: number) => {
    const at = Math.max(now, ...log)
    return log.filter((admitted) => at - admitted < windowMs).length < limit
  }
  return {
    log,
    admits,
    take: (now: number) => {
      const admitted = admits(now)
      if (admitted) log.push(Math.max(now, ...log))
      return admitted
    },
    waitMs: (now: number) => {
      let wait = 0
      while (!admits(now + wait)) wait += 1
      return wait
    },
  }
}

function takeAll(policy: WindowPolicy, times: readonly number[]): Window {
  return times.reduce((window, at) => take(window, policy, at)[1], emptyWindow)
}

function instants(deltas: readonly number[]): number[] {
  let now = 1_000
  return deltas.map((delta) => (now += delta))
}

test('the limit is admitted and the next is told exactly when to come back', () => {
  const window = takeAll(policy, [0, 10, 20])
  expect(take(window, policy, 30)).toEqual([
    { allowed: false, limit: 3, remaining: 0, resetMs: 70, retryAfterMs: 70 },
    window,
  ])
  expect(take(window, policy, 99)[0].allowed).toBe(false)
  expect(take(window, policy, 100)).toEqual([
    { allowed: true, limit: 3, remaining: 0, resetMs: 10 },
    [10, 20, 100],
  ])
})

test('remaining counts down, and reset counts from the oldest admission', () => {
  const [first, one] = take(emptyWindow, policy, 5)
  expect(first).toEqual({ allowed: true, limit: 3, remaining: 2, resetMs: 100 })
  expect(take(one, policy, 45)[0]).toEqual({ allowed: true, limit: 3, remaining: 1, resetMs: 60 })
})

test('an unused allowance has nothing to reset', () => {
  const unused = { allowed: true, limit: 3, remaining: 3, resetMs: 0 }
  expect(peek(emptyWindow, policy, 7)).toEqual(unused)
  expect(peek([0, 1], policy, 500)).toEqual(unused)
})

test('a burst across the edge of two windows is not admitted twice', () => {
  const window = takeAll(policy, [97, 98, 99])
  expect(take(window, policy, 101)[0]).toMatchObject({ allowed: false, retryAfterMs: 96 })
})

test('it decides as a slow reference does, whatever the clock does', () => {
  fc.assert(
    fc.property(policies, steps(-10), (policy, deltas) => {
      const slow = reference(policy)
      let window: Window = emptyWindow
      for (const now of instants(deltas)) {
        const [decision, after] = take(window, policy, now)
        const waitMs = slow.waitMs(now)
        expect(decision.allowed).toBe(slow.take(now))
        if (!decision.allowed) {
          expect(decision.retryAfterMs).toBe(waitMs)
          expect(peek(after, policy, now + waitMs).allowed).toBe(true)
          expect(peek(after, policy, now + waitMs - 1).allowed).toBe(false)
        }
        window = after
      }
    }),
  )
})

test('no interval as long as the window holds more than the limit', () => {
  fc.assert(
    fc.property(policies, steps(-10), (policy, deltas) => {
      const admitted: number[] = []
      let window: Window = emptyWindow
      for (const now of instants(deltas)) {
        const [decision, after] = take(window, policy, now)
        const at = after.at(-1)
        if (decision.allowed && at !== undefined) admitted.push(at)
        window = after
      }
      admitted.forEach((at, index) => {
        const next = admitted[index + policy.limit] ?? Number.POSITIVE_INFINITY
        expect(next - at).toBeGreaterThanOrEqual(policy.windowMs)
      })
    }),
  )
})

test('a clock that goes back admits no more than one that stands still', () => {
  fc.assert(
    fc.property(policies, steps(0), fc.integer({ min: 1, max: 500 }), (policy, deltas, backMs) => {
      const window = takeAll(policy, instants(deltas))
      const newest = window.at(-1) ?? 0
      const [stood, stoodWindow] = take(window, policy, newest)
      const [back, backWindow] = take(window, policy, newest - backMs)
      expect(back.allowed).toBe(stood.allowed)
      expect(back.remaining).toBe(stood.remaining)
      if (window.length > 0) expect(backWindow).toEqual(stoodWindow)
    }),
  )
})

test('after the clock went back the wait is still exact', () => {
  const window = takeAll(policy, [1_000, 1_010, 1_020])
  expect(peek(window, policy, 900)).toMatchObject({ allowed: false, retryAfterMs: 200 })
  expect(peek(window, policy, 1_099).allowed).toBe(false)
  expect(peek(window, policy, 1_100).allowed).toBe(true)
})

test('a peek agrees with the take that follows, and charges nothing', () => {
  fc.assert(
    fc.property(policies, steps(-5), (policy, deltas) => {
      let window: Window = emptyWindow
      for (const now of instants(deltas)) {
        const before = [...window]
        const seen = peek(window, policy, now)
        expect(window).toEqual(before)
        const [decision, after] = take(window, policy, now)
        expect(seen.allowed).toBe(decision.allowed)
        expect(seen.remaining).toBe(decision.allowed ? decision.remaining + 1 : 0)
        window = after
      }
    }),
  )
})

test('pruning changes no decision, then or later', () => {
  fc.assert(
    fc.property(policies, steps(-5), fc.nat(60), fc.nat(60), (policy, deltas, laterMs, evenLaterMs) => {
      const times = instants(deltas)
      const window = takeAll(policy, times)
      const now = (times.at(-1) ?? 0) + laterMs
      const pruned = prune(window, policy, now)
      expect(peek(pruned, policy, now + evenLaterMs)).toEqual(peek(window, policy, now + evenLaterMs))
    }),
  )
})

test('pruning drops what has left and keeps the array when nothing has', () => {
  const window: Window = [0, 50, 60]
  expect(prune(window, policy, 99)).toBe(window)
  expect(prune(window, policy, 100)).toEqual([50, 60])
  expect(prune(window, policy, 160)).toBe(emptyWindow)
  expect(prune(emptyWindow, policy, 160)).toBe(emptyWindow)
})

test('a window reads back from storage as it was', () => {
  const window = takeAll(policy, [0, 10, 20])
  const stored: Window = JSON.parse(JSON.stringify(window))
  expect(take(stored, policy, 60)).toEqual(take(window, policy, 60))
})

test('a lowered limit waits until enough admissions have left', () => {
  const lowered = { limit: 1, windowMs: 100 }
  expect(peek([0, 10, 20], lowered, 30)).toMatchObject({ allowed: false, resetMs: 90, retryAfterMs: 90 })
  expect(peek([0, 10, 20], lowered, 119).allowed).toBe(false)
  expect(peek([0, 10, 20], lowered, 120).allowed).toBe(true)
})

test('a limit of zero refuses everything, asking to wait a whole window', () => {
  const closed = { limit: 0, windowMs: 100 }
  expect(take(emptyWindow, closed, 5)).toEqual([
    { allowed: false, limit: 0, remaining: 0, resetMs: 100, retryAfterMs: 100 },
    emptyWindow,
  ])
})
