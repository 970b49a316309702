import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  firstIdAt,
  newDeliveryId,
  parseDeliveryId,
  receivedAt,
  showDeliveryId,
} from '../../../src/webhooks/delivery-id.ts'

const time = fc.integer({ min: 0, max: Date.UTC(2200, 0) })
const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })

test('an id holds its time, is shown and read back, and grows with time', () => {
  fc.assert(
    fc.property(time, random, random, (now, one, other) => {
      const id = newDeliveryId(now, one)
      expect(receivedAt(id)).toBe(now)
      expect(parseDeliveryId(showDeliveryId(id))).toBe(id)
      expect(id).toBeGreaterThanOrEqual(firstIdAt(now))
      expect(newDeliveryId(now + 1, other)).toBeGreaterThan(id)
    }),
  )
})

test.each(['', 'wh_', 'wh_0x1', 'WH_1', 'wh_ 1', 'wh_01', '1', 'wh_zzzzzzzzzzz', 'wh_1;'])(
  'what was never an id is none: "%s"',
  (shown) => {
    expect(parseDeliveryId(shown)).toBeUndefined()
  },
)
