import { expect, test } from 'vitest'

import {
  admit,
  type BreakerPolicy,
  type BreakerState,
  initialBreaker,
  isOpen,
  parseBreaker,
  settle,
} from '../../../src/resilience/breaker.ts'

const policy: BreakerPolicy = { threshold: 5, windowMs: 60_000, openMs: 300_000, probeMs: 10_000 }

function failTimes(times: readonly number[], state: BreakerState = initialBreaker): BreakerState {
  return times.reduce(
    (state, at) => settle(state, { ticket: state.generation, ok: false }, policy, at),
    state,
  )
}

/** Open since 5, until 300,005. */
const opened = failTimes([1, 2, 3, 4, 5])

function probeAt(state: BreakerState, now: number): { ticket: number; state: BreakerState } {
  const [admission, after] = admit(state, policy, now)
  if (!admission.admitted || !admission.probe) throw new Error('no probe was admitted')
  return { ticket: admission.ticket, state: after }
}

test('a closed circuit admits everything and changes nothing', () => {
  expect(admit(initialBreaker, policy, 0)).toEqual([
    { admitted: true, ticket: 0, probe: false },
    initialBreaker,
  ])
})

test('four failures do not open it, the fifth does', () => {
  const four = failTimes([1, 2, 3, 4])
  expect(isOpen(four, 4)).toBe(false)
  expect(opened).toEqual({ kind: 'open', generation: 1, since: 5, until: 300_005, failedProbes: 0 })
})

test('a failure counts for the whole window and no longer', () => {
  expect(failTimes([0, 1, 2, 3, 59_999]).kind).toBe('open')
  expect(failTimes([0, 1, 2, 3, 60_000])).toEqual({
    kind: 'closed',
    generation: 0,
    failures: [1, 2, 3, 60_000],
  })
})

test('failures of last week are forgotten without a timer', () => {
  const week = 7 * 24 * 3_600_000
  expect(failTimes([0, 1, 2, 3, week])).toEqual({ kind: 'closed', generation: 0, failures: [week] })
})

test('a success does not excuse the failures around it', () => {
  const four = failTimes([1, 2, 3, 4])
  const after = settle(four, { ticket: 0, ok: true }, policy, 4)
  expect(after).toBe(four)
  expect(failTimes([5], after).kind).toBe('open')
})

test('an open circuit refuses until its time is up, to the millisecond', () => {
  expect(admit(opened, policy, 5)[0]).toEqual({ admitted: false, retryAfterMs: 300_000 })
  expect(admit(opened, policy, 300_004)).toEqual([{ admitted: false, retryAfterMs: 1 }, opened])
  expect(isOpen(opened, 300_004)).toBe(true)
  expect(isOpen(opened, 300_005)).toBe(false)
  expect(admit(opened, policy, 300_005)[0]).toEqual({ admitted: true, ticket: 2, probe: true })
})

test('one probe is out at a time', () => {
  const { state } = probeAt(opened, 300_005)
  expect(isOpen(state, 300_006)).toBe(true)
  expect(admit(state, policy, 300_006)).toEqual([{ admitted: false, retryAfterMs: 9_999 }, state])
})

test('a probe that succeeds closes the circuit with a clean slate', () => {
  const { ticket, state } = probeAt(opened, 300_005)
  const closed = settle(state, { ticket, ok: true }, policy, 300_100)
  expect(closed).toEqual({ kind: 'closed', generation: 3, failures: [] })
})

test('a probe that fails opens it for the whole time again, and is counted', () => {
  const first = probeAt(opened, 300_005)
  const again = settle(first.state, { ticket: first.ticket, ok: false }, policy, 300_100)
  expect(again).toEqual({ kind: 'open', generation: 3, since: 300_100, until: 600_100, failedProbes: 1 })
  const second = probeAt(again, 600_100)
  expect(second.state).toMatchObject({ kind: 'probing', failedProbes: 1 })
  expect(settle(second.state, { ticket: second.ticket, ok: false }, policy, 600_200)).toMatchObject({
    failedProbes: 2,
  })
})

test('a probe that never reports gives way to another, and its late word is worth nothing', () => {
  const silent = probeAt(opened, 300_005)
  const next = probeAt(silent.state, 310_005)
  expect(next.ticket).toBe(3)
  expect(settle(next.state, { ticket: silent.ticket, ok: true }, policy, 310_006)).toBe(next.state)
  expect(settle(next.state, { ticket: silent.ticket, ok: false }, policy, 310_006)).toBe(next.state)
})

test('a slow probe still counts while no other has taken its place', () => {
  const { ticket, state } = probeAt(opened, 300_005)
  expect(settle(state, { ticket, ok: true }, policy, 400_000).kind).toBe('closed')
})

test('a success from before the circuit opened does not close it', () => {
  expect(settle(opened, { ticket: 0, ok: true }, policy, 6)).toBe(opened)
  const { state } = probeAt(opened, 300_005)
  expect(settle(state, { ticket: 0, ok: true }, policy, 300_006)).toBe(state)
})

test('a failure from before the circuit closed again does not count', () => {
  const { ticket, state } = probeAt(opened, 300_005)
  const closed = settle(state, { ticket, ok: true }, policy, 300_100)
  expect(settle(closed, { ticket: 0, ok: false }, policy, 300_101)).toBe(closed)
})

test('an open circuit takes nobody’s word, not even for its own generation', () => {
  expect(settle(opened, { ticket: opened.generation, ok: true }, policy, 6)).toBe(opened)
})

test('the upstream may ask for a longer time, not for a shorter one', () => {
  const four = failTimes([1, 2, 3, 4])
  const failure = { ticket: 0, ok: false }
  expect(settle(four, failure, policy, 5, 900_000)).toMatchObject({ until: 900_005 })
  expect(settle(four, failure, policy, 5, 1_000)).toMatchObject({ until: 300_005 })
  const { ticket, state } = probeAt(opened, 300_005)
  expect(settle(state, { ticket, ok: false }, policy, 300_100, 900_000)).toMatchObject({ until: 1_200_100 })
})

test('a clock set back does not keep it open for longer', () => {
  const day = 86_400_000
  const late = failTimes([1, 2, 3, 4, 5].map((ms) => day + ms))
  const [admission, rebased] = admit(late, policy, 50)
  expect(admission).toEqual({ admitted: false, retryAfterMs: 300_000 })
  expect(admit(rebased, policy, 300_049)[0].admitted).toBe(false)
  expect(admit(rebased, policy, 300_050)[0].admitted).toBe(true)
})

test('a clock set back keeps the time the upstream asked for', () => {
  const state = settle(
    failTimes([1_001, 1_002, 1_003, 1_004]),
    { ticket: 0, ok: false },
    policy,
    1_005,
    900_000,
  )
  expect(admit(state, policy, 0)[0]).toEqual({ admitted: false, retryAfterMs: 900_000 })
})

test('a clock set back does not keep a silent probe for longer', () => {
  const { state } = probeAt(opened, 300_005)
  const [admission, rebased] = admit(state, policy, 10)
  expect(admission).toEqual({ admitted: false, retryAfterMs: 10_000 })
  expect(admit(rebased, policy, 10_010)[0].admitted).toBe(true)
})

test('a clock set back does not keep failures for longer than the window', () => {
  const day = 86_400_000
  const state = failTimes([day, day + 1, day + 2, 10])
  expect(state).toMatchObject({ failures: [10, 10, 10, 10] })
  expect(failTimes([60_010], state)).toMatchObject({ kind: 'closed', failures: [60_010] })
})

test('every kind of state reads back from storage', () => {
  const states = [initialBreaker, failTimes([1, 2]), opened, probeAt(opened, 300_005).state]
  for (const state of states) expect(parseBreaker(JSON.parse(JSON.stringify(state)))).toEqual(state)
})

test('unknown members of a stored state are left behind', () => {
  expect(parseBreaker({ kind: 'closed', generation: 2, failures: [1], note: 'x' })).toEqual({
    kind: 'closed',
    generation: 2,
    failures: [1],
  })
})

const open = { kind: 'open', generation: 1, since: 5, until: 10, failedProbes: 0 }

test.for<[string, unknown]>([
  ['nothing', undefined],
  ['null', null],
  ['a number', 7],
  ['an empty object', {}],
  ['a list', []],
  ['another kind', { ...open, kind: 'ajar' }],
  ['a generation that is text', { ...open, generation: '1' }],
  ['a negative generation', { ...open, generation: -1 }],
  ['a fractional generation', { ...open, generation: 0.5 }],
  ['no since', { ...open, since: undefined }],
  ['an endless until', { ...open, until: Number.POSITIVE_INFINITY }],
  ['an until that JSON lost', { ...open, until: null }],
  ['an until before since', { ...open, until: 4 }],
  ['no count of probes', { ...open, failedProbes: undefined }],
  ['failures that are no list', { kind: 'closed', generation: 0, failures: 'none' }],
  ['a failure that is no time', { kind: 'closed', generation: 0, failures: [1, '2'] }],
])('%s is no state', ([, value]) => {
  expect(parseBreaker(value)).toBeUndefined()
})

test('a wait of no length at all is still a state', () => {
  expect(parseBreaker({ ...open, until: 5 })).toEqual({ ...open, until: 5 })
})
