import fc from 'fast-check'
import { expect, test } from 'vitest'

import { planRetention, type StayingFile } from '../../../src/youtube/retention.ts'

const now = 1_000_000

const file = (changes: Partial<StayingFile> = {}): StayingFile => ({
  downloadId: 'a',
  bytes: 10,
  since: 0,
  isProtected: false,
  isActive: false,
  isStuck: false,
  ...changes,
})

const files = fc.uniqueArray(
  fc.record({
    downloadId: fc.uuid(),
    bytes: fc.integer({ min: 1, max: 100 }),
    since: fc.integer({ min: 0, max: now }),
    isProtected: fc.boolean(),
    isActive: fc.boolean(),
    isStuck: fc.boolean(),
  }),
  { selector: ({ downloadId }) => downloadId, maxLength: 30 },
)
const policy = fc.record(
  { maxAgeMs: fc.integer({ min: 0, max: now }), maxBytes: fc.integer({ min: 0, max: 2_000 }) },
  { requiredKeys: [] },
)

const isFree = ({ isProtected, isActive, isStuck }: StayingFile) => !isProtected && !isActive && !isStuck
const ids = (some: readonly StayingFile[]) => some.map(({ downloadId }) => downloadId)
const bytesOf = (some: readonly StayingFile[]) => some.reduce((sum, { bytes }) => sum + bytes, 0)

test('nothing goes that is protected, not over or stuck', () => {
  fc.assert(
    fc.property(files, policy, (files, policy) => {
      const { leaving } = planRetention(files, policy, now)
      expect(leaving.filter((file) => !isFree(file))).toEqual([])
    }),
  )
})

test('everything too old goes, and of the rest no more than there must', () => {
  fc.assert(
    fc.property(files, policy, (files, { maxAgeMs = Infinity, maxBytes = Infinity }) => {
      const { leaving, keptBytes } = planRetention(files, { maxAgeMs, maxBytes }, now)
      const mayGo = files.filter(isFree)
      const old = mayGo.filter(({ since }) => now - since > maxAgeMs)
      expect(ids(leaving.filter(({ reason }) => reason === 'age')).toSorted()).toEqual(ids(old).toSorted())
      const forSpace = leaving.filter(({ reason }) => reason === 'space')
      // Without the last of them there was not room enough; with it there is, or nothing is left to go.
      const last = forSpace.at(-1)
      if (last) expect(keptBytes + last.bytes).toBeGreaterThan(maxBytes)
      if (leaving.length < mayGo.length) expect(keptBytes).toBeLessThanOrEqual(maxBytes)
    }),
  )
})

test('no file goes before an older one, in whatever order they come', () => {
  fc.assert(
    fc.property(files, policy, (files, policy) => {
      const plan = planRetention(files, policy, now)
      expect(planRetention(files.toReversed(), policy, now)).toEqual(plan)
      expect(plan.leaving.map(({ since }) => since)).toEqual(
        plan.leaving.map(({ since }) => since).toSorted((a, b) => a - b),
      )
      const stay = files.filter((file) => isFree(file) && !ids(plan.leaving).includes(file.downloadId))
      for (const { since } of stay) expect(since).toBeGreaterThanOrEqual(plan.leaving.at(-1)?.since ?? 0)
    }),
  )
})

test('what goes and what stays is all there was, and a second plan takes nothing more', () => {
  fc.assert(
    fc.property(files, policy, (files, policy) => {
      const plan = planRetention(files, policy, now)
      expect(plan.freedBytes).toBe(bytesOf(plan.leaving))
      expect(plan.freedBytes + plan.keptBytes).toBe(bytesOf(files))
      const left = files.filter(({ downloadId }) => !ids(plan.leaving).includes(downloadId))
      expect(planRetention(left, policy, now).leaving).toEqual([])
    }),
  )
})

test('without a policy nothing goes, and a limit that just holds is kept', () => {
  const some = [file(), file({ downloadId: 'b', since: 5 })]
  expect(planRetention(some, {}, now)).toEqual({ leaving: [], freedBytes: 0, keptBytes: 20 })
  expect(planRetention(some, { maxBytes: 20, maxAgeMs: now }, now).leaving).toEqual([])
  expect(planRetention(some, { maxBytes: 19 }, now)).toEqual({
    leaving: [{ ...some[0], reason: 'space' }],
    freedBytes: 10,
    keptBytes: 10,
  })
  expect(planRetention(some, { maxAgeMs: now - 1 }, now).leaving).toMatchObject([
    { downloadId: 'a', reason: 'age' },
  ])
})
