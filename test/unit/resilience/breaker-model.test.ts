import * as fc from 'fast-check'
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

const policies: fc.Arbitrary<BreakerPolicy> = fc.record({
  threshold: fc.integer({ min: 1, max: 4 }),
  windowMs: fc.integer({ min: 1, max: 60 }),
  openMs: fc.integer({ min: 1, max: 60 }),
  probeMs: fc.integer({ min: 1, max: 60 }),
})

type Step =
  | { readonly does: 'admit' }
  | { readonly does: 'settle'; readonly pick: number; readonly ok: boolean; readonly minOpenMs: number }

type Timed = { readonly afterMs: number; readonly step: Step }

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ does: fc.constant('admit' as const) }),
  fc.record({
    does: fc.constant('settle' as const),
    pick: fc.nat(),
    ok: fc.boolean(),
    minOpenMs: fc.oneof(fc.constant(0), fc.nat(90)),
  }),
)

const story = (minMs: number): fc.Arbitrary<Timed[]> =>
  fc.array(fc.record({ afterMs: fc.integer({ min: minMs, max: 40 }), step }), { maxLength: 120, size: 'max' })

/**
 * The breaker told with objects and a full history: a call belongs to the era it was admitted in, and an era that has
 * ended listens to nobody.
 */
class Reference {
  era: { readonly probe: boolean; failures: number[]; shutUntil?: number; probeUntil?: number }
  readonly policy: BreakerPolicy

  constructor(policy: BreakerPolicy) {
    this.policy = policy
    this.era = { probe: false, failures: [] }
  }

  waitMs(now: number): number {
    return Math.max(0, (this.era.shutUntil ?? this.era.probeUntil ?? now) - now)
  }

  admit(now: number): { era: object; probe: boolean } | undefined {
    if (this.waitMs(now) > 0) return undefined
    const shut = this.era.shutUntil !== undefined
    if (shut || this.era.probe) {
      this.era = { probe: true, failures: [], probeUntil: now + this.policy.probeMs }
    }
    return { era: this.era, probe: this.era.probe }
  }

  settle(era: object, ok: boolean, now: number, minOpenMs: number): void {
    if (era !== this.era) return
    if (!ok) this.era.failures.push(now)
    const inWindow = this.era.failures.filter((at) => now - at < this.policy.windowMs)
    if (this.era.probe && ok) this.era = { probe: false, failures: [] }
    else if (!ok && (this.era.probe || inWindow.length >= this.policy.threshold)) {
      this.era = { probe: false, failures: [], shutUntil: now + Math.max(minOpenMs, this.policy.openMs) }
    }
  }
}

test('it behaves as the reference does under any interleaving of calls and late results', () => {
  fc.assert(
    fc.property(policies, story(0), (policy, story) => {
      const model = new Reference(policy)
      const calls: { ticket: number; era: object }[] = []
      let state: BreakerState = initialBreaker
      let now = 0
      for (const { afterMs, step } of story) {
        now += afterMs
        expect(isOpen(state, now)).toBe(model.waitMs(now) > 0)
        if (step.does === 'admit') {
          const waitMs = model.waitMs(now)
          const expected = model.admit(now)
          const [admission, after] = admit(state, policy, now)
          if (admission.admitted) {
            expect(admission.probe).toBe(expected?.probe)
            if (expected) calls.push({ ticket: admission.ticket, era: expected.era })
          } else {
            expect(expected).toBeUndefined()
            expect(admission.retryAfterMs).toBe(waitMs)
          }
          state = after
        } else {
          const call = calls[step.pick % Math.max(1, calls.length)]
          if (!call) continue
          model.settle(call.era, step.ok, now, step.minOpenMs)
          state = settle(state, { ticket: call.ticket, ok: step.ok }, policy, now, step.minOpenMs)
        }
      }
    }),
    { numRuns: 400 },
  )
})

test('whatever the clock does, what is promised holds', () => {
  fc.assert(
    fc.property(policies, story(-200), (policy, story) => {
      const tickets: number[] = []
      let state: BreakerState = initialBreaker
      let now = 0
      for (const { afterMs, step } of story) {
        now += afterMs
        const before = state
        if (step.does === 'admit') {
          const [admission, after] = admit(state, policy, now)
          expect(admission.admitted).toBe(!isOpen(before, now))
          if (admission.admitted) {
            tickets.push(admission.ticket)
            if (admission.probe) expect(admit(after, policy, now)[0].admitted).toBe(false)
          } else {
            const longest = before.kind === 'probing' ? policy.probeMs : policy.openMs
            expect(admission.retryAfterMs).toBeGreaterThan(0)
            expect(admission.retryAfterMs).toBeLessThanOrEqual(longest)
            expect(admit(after, policy, now + admission.retryAfterMs)[0].admitted).toBe(true)
            expect(admit(after, policy, now + admission.retryAfterMs - 1)[0].admitted).toBe(false)
          }
          state = after
        } else {
          const ticket = tickets[step.pick % Math.max(1, tickets.length)] ?? 0
          state = settle(state, { ticket, ok: step.ok }, policy, now)
          if (ticket < before.generation) expect(state).toBe(before)
        }
        expect(state.generation).toBeGreaterThanOrEqual(before.generation)
        if (state.kind !== before.kind) expect(state.generation).toBe(before.generation + 1)
        if (state.kind === 'closed') expect(state.failures.length).toBeLessThan(policy.threshold)
        expect(parseBreaker(JSON.parse(JSON.stringify(state)))).toEqual(state)
      }
    }),
    { numRuns: 400 },
  )
})

test('it opens at exactly the failure that fills the window', () => {
  fc.assert(
    fc.property(policies, fc.array(fc.nat(30), { maxLength: 40 }), (policy, gaps) => {
      const times: number[] = []
      let state: BreakerState = initialBreaker
      let now = 0
      for (const gap of gaps) {
        now += gap
        times.push(now)
        state = settle(state, { ticket: 0, ok: false }, policy, now)
        const filled = times.filter((at) => now - at < policy.windowMs).length >= policy.threshold
        expect(state.kind).toBe(filled ? 'open' : 'closed')
        if (filled) return
      }
    }),
  )
})

test('any value read back is either a state or nothing', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const state = parseBreaker(value)
      if (state) expect(state).toEqual(value)
    }),
  )
})
