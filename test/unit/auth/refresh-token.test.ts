import fc from 'fast-check'
import { expect, test } from 'vitest'

import { formatRefreshToken, parseRefreshToken } from '../../../src/auth/refresh-token.ts'

const secret = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('base64url'))
const token = fc.record({
  userId: fc.bigInt({ min: 0n, max: 10n ** 20n - 1n }).map(String),
  sessionId: fc.uuid(),
  secret,
})

test('a refresh token reads as it was written', () => {
  fc.assert(
    fc.property(token, (each) => {
      expect(parseRefreshToken(formatRefreshToken(each))).toEqual(each)
    }),
  )
})

test('anything else is none', () => {
  fc.assert(
    fc.property(token, fc.string({ minLength: 1, maxLength: 3 }), (each, extra) => {
      const text = formatRefreshToken(each)
      expect(parseRefreshToken(extra + text)).toBeUndefined()
      expect(parseRefreshToken(text + extra)).toBeUndefined()
    }),
  )
  for (const odd of ['', 'mnr', 'mnr___', 'mnr_1_x_y', `mnr_a_${crypto.randomUUID()}_${'x'.repeat(43)}`])
    expect(parseRefreshToken(odd)).toBeUndefined()
})
