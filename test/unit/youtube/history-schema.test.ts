import fc from 'fast-check'
import { expect, test } from 'vitest'

import { ListQuery } from '../../../src/youtube/history-schema.ts'

const dayMs = 24 * 3_600_000
const aroundOf = (time: string) => fc.integer({ min: -dayMs, max: dayMs }).map((ms) => Date.parse(time) + ms)
const moments = fc.oneof(...['0000-01-01T00:00Z', '2026-10-02T12:00Z', '9999-12-31T23:59Z'].map(aroundOf))

/** As a clock so many minutes ahead of UTC shows it. */
function written(at: number, offsetMinutes: number): string {
  const local = new Date(at + offsetMinutes * 60_000).toISOString()
  const zone = new Date(Math.abs(offsetMinutes) * 60_000).toISOString().slice(11, 16)
  return local.replace('Z', `${offsetMinutes < 0 ? '-' : '+'}${zone}`)
}

const hasFourDigits = (text: string) => /^\d{4}-/.test(text)

test('an instant is kept as it is compared, whatever the clock it was read from, or refused', () => {
  const offsets = fc.integer({ min: -1_439, max: 1_439 })
  fc.assert(
    fc.property(moments, offsets, fc.constantFrom('from', 'to'), (at, offset, end) => {
      const text = written(at, offset)
      const kept = new Date(at).toISOString()
      const isTaken = hasFourDigits(text) && hasFourDigits(kept)
      expect(ListQuery.safeParse({ [end]: text }).data?.[end]).toBe(isTaken ? kept : undefined)
    }),
    { numRuns: 1_000 },
  )
})
