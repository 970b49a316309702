import fc from 'fast-check'
import { expect, test } from 'vitest'

import { subscriberOf } from '../../../src/http/client-address.ts'

const group = fc.integer({ min: 0, max: 0xff_ff })
const address = fc.array(group, { minLength: 8, maxLength: 8 })

/** The same address as others may write it: zeros left out or put in front, upper or lower case, one run of zeros as `::`. */
const spelling = fc.record({ padded: fc.boolean(), upper: fc.boolean(), from: fc.nat(7), length: fc.nat(8) })
type Spelling = typeof spelling extends fc.Arbitrary<infer S> ? S : never

function spell(groups: readonly number[], { padded, upper, from, length }: Spelling): string {
  const texts = groups.map((each) => each.toString(16).padStart(padded ? 4 : 1, '0'))
  const end = Math.min(8, from + length)
  const zeros = end > from && groups.slice(from, end).every((each) => each === 0)
  const text = zeros ? `${texts.slice(0, from).join(':')}::${texts.slice(end).join(':')}` : texts.join(':')
  return upper ? text.toUpperCase() : text
}

const withZeros = fc
  .tuple(address, fc.nat(7), fc.nat(8))
  .map(([groups, from, length]) => groups.map((each, at) => (at >= from && at < from + length ? 0 : each)))

test('an address counts as the same subscriber however it is written', () => {
  fc.assert(
    fc.property(withZeros, spelling, spelling, (groups, one, other) => {
      expect(subscriberOf(spell(groups, one))).toBe(subscriberOf(spell(groups, other)))
    }),
    { numRuns: 500 },
  )
})

test('addresses of one /64 are one subscriber, those of another /64 are another', () => {
  const mapped = (groups: readonly number[]) =>
    groups.slice(0, 5).every((each) => each === 0) && groups[5] === 0xff_ff
  fc.assert(
    fc.property(withZeros, withZeros, spelling, (one, other, as) => {
      fc.pre(!mapped(one) && !mapped(other))
      const neighbour = [...one.slice(0, 4), ...other.slice(4)]
      fc.pre(!mapped(neighbour))
      expect(subscriberOf(spell(neighbour, as))).toBe(subscriberOf(spell(one, as)))
      const same = one.slice(0, 4).join() === other.slice(0, 4).join()
      expect(subscriberOf(spell(one, as)) === subscriberOf(spell(other, as))).toBe(same)
    }),
    { numRuns: 500 },
  )
})

test('an IPv4 address stands for itself, also when it is written as IPv6', () => {
  expect(subscriberOf('203.0.113.7')).toBe('203.0.113.7')
  expect(subscriberOf('::ffff:203.0.113.7')).toBe('203.0.113.7')
  expect(subscriberOf('::FFFF:203.0.113.8')).not.toBe(subscriberOf('::ffff:203.0.113.7'))
})

test('a network is named by its four groups', () => {
  expect(subscriberOf('2001:0DB8::1')).toBe('2001:db8:0:0::/64')
  expect(subscriberOf('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64')
  expect(subscriberOf('::1')).toBe('0:0:0:0::/64')
  expect(subscriberOf('fe80::')).toBe('fe80:0:0:0::/64')
})
