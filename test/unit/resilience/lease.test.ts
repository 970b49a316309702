import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { grant, holds, lapsed, type Lease, renew } from '../../../src/resilience/lease.ts'

const lease = grant(undefined, 'den', 1_000, 60_000)

test('the first lease runs for its time, to the millisecond', () => {
  expect(lease).toEqual({ holder: 'den', token: 1, until: 61_000 })
  expect(lapsed(lease, 60_999)).toBe(false)
  expect(lapsed(lease, 61_000)).toBe(true)
})

test('a grant outdoes every token before it', () => {
  expect(grant({ holder: 'den', token: 41, until: 0 }, 'attic', 5, 10)).toEqual({
    holder: 'attic',
    token: 42,
    until: 15,
  })
})

test('only the current token holds, and only while the lease lives', () => {
  expect(holds(lease, 1, 1_000)).toBe(true)
  expect(holds(lease, 1, 61_000)).toBe(false)
  expect(holds(lease, 0, 1_000)).toBe(false)
  expect(holds(lease, 2, 1_000)).toBe(false)
  expect(holds(undefined, 1, 1_000)).toBe(false)
})

test('renewing keeps holder and token and moves the end', () => {
  expect(renew(lease, 1, 31_000, 60_000)).toEqual({ holder: 'den', token: 1, until: 91_000 })
})

test('what has lapsed, was superseded or never was is not renewed', () => {
  expect(renew(lease, 1, 61_000, 60_000)).toBeUndefined()
  expect(renew(grant(lease, 'attic', 2_000, 60_000), 1, 2_001, 60_000)).toBeUndefined()
  expect(renew(undefined, 1, 0, 60_000)).toBeUndefined()
})

type Step = { readonly afterMs: number; readonly does: 'grant' | 'renew' | 'seize'; readonly who: number }

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.record({
    afterMs: fc.integer({ min: -20, max: 40 }),
    does: fc.constantFrom('grant', 'renew', 'seize'),
    who: fc.nat(3),
  }),
  { maxLength: 80 },
)

test('there are never two live holders, and no token comes back', () => {
  fc.assert(
    fc.property(steps, fc.integer({ min: 1, max: 50 }), (steps, ttlMs) => {
      const believed = new Map<number, number>()
      const granted: number[] = []
      let lease: Lease | undefined
      let now = 0
      for (const { afterMs, does, who } of steps) {
        now += afterMs
        const token = believed.get(who) ?? 0
        if (does === 'renew') {
          const before = lease
          const renewed = lease && renew(lease, token, now, ttlMs)
          expect(renewed !== undefined).toBe(holds(before, token, now))
          lease = renewed ?? lease
        } else if (does === 'seize' || !lease || lapsed(lease, now)) {
          lease = grant(lease, `holder ${who}`, now, ttlMs)
          expect(lease.token).toBeGreaterThan(Math.max(0, ...granted))
          granted.push(lease.token)
          believed.set(who, lease.token)
        }
        const live = [...believed].filter(([, token]) => holds(lease, token, now))
        expect(live.length).toBeLessThanOrEqual(1)
        for (const [who] of live) expect(lease?.holder).toBe(`holder ${who}`)
      }
    }),
  )
})

test('whoever keeps renewing in time keeps the lease', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 49 })), (gaps) => {
      let lease = grant(undefined, 'den', 0, 50)
      let now = 0
      for (const gap of gaps) {
        now += gap
        const renewed = renew(lease, lease.token, now, 50)
        if (!renewed) throw new Error('the lease was lost')
        lease = renewed
      }
      expect(holds(lease, 1, now)).toBe(true)
    }),
  )
})
