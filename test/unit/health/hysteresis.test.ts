import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import type { HealthStatus } from '../../../src/contract/health.ts'
import { confirmed } from '../../../src/health/hysteresis.ts'

const letters: Readonly<Record<string, HealthStatus>> = {
  h: 'healthy',
  d: 'degraded',
  u: 'unhealthy',
  '?': 'unknown',
}
const statuses = (text: string) => text.split('').map((letter) => letters[letter] ?? 'unknown')

test.each([
  ['', 'unknown'],
  ['?', 'unknown'],
  ['h', 'unknown'],
  ['hh', 'healthy'],
  ['uu', 'unknown'],
  ['uuu', 'unhealthy'],
  ['hhuu', 'healthy'],
  ['hhuuu', 'unhealthy'],
  ['hhu?u?u', 'unhealthy'],
  ['hhuuhuuhuu', 'healthy'],
  ['hhuuuh', 'unhealthy'],
  ['hhuuuhh', 'healthy'],
  ['hhuuuhuh', 'unhealthy'],
  ['hhudu', 'degraded'],
  ['hhuuudd', 'degraded'],
  ['hhddduuu', 'unhealthy'],
  ['hhuuu???', 'unhealthy'],
])('%s confirms %s', (samples, state) => {
  expect(confirmed(statuses(samples))).toBe(state)
})

const samples = fc.array(fc.constantFrom<HealthStatus>('healthy', 'degraded', 'unhealthy', 'unknown'), {
  maxLength: 40,
})
const severity = ['healthy', 'degraded', 'unhealthy']

test('no state is left but for three samples that are all worse, or two that are all better', () => {
  fc.assert(
    fc.property(samples, (all) => {
      for (let count = 0; count < all.length; count += 1) {
        const before = confirmed(all.slice(0, count))
        const after = confirmed(all.slice(0, count + 1))
        if (before === after || before === 'unknown') continue
        const known = all.slice(0, count + 1).filter((status) => status !== 'unknown')
        const worse = severity.indexOf(after) > severity.indexOf(before)
        const proof = known.slice(worse ? -3 : -2)
        expect(proof).toHaveLength(worse ? 3 : 2)
        for (const status of proof) {
          const step = severity.indexOf(status) - severity.indexOf(before)
          expect(worse ? step : -step).toBeGreaterThan(0)
        }
      }
    }),
  )
})

test('three samples of one kind settle the matter, whatever came before', () => {
  fc.assert(
    fc.property(
      samples,
      fc.constantFrom<HealthStatus>('healthy', 'degraded', 'unhealthy'),
      (before, status) => {
        expect(confirmed([...before, status, status, status])).toBe(status)
      },
    ),
  )
})

test('samples that know nothing change nothing', () => {
  fc.assert(
    fc.property(samples, (all) => {
      expect(confirmed(all)).toBe(confirmed(all.filter((status) => status !== 'unknown')))
    }),
  )
})
