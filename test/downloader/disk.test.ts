import { expect, test } from 'vitest'
import { createSpaceLedger } from '../../downloader/disk.ts'

test('twice the size and the reserve must be free', () => {
  const { admit } = createSpaceLedger(100, 1000)
  expect(admit('a', 50, 199)).toBe('no-space')
  expect(admit('a', 50, 200)).toBe('admitted')
})

test('what is promised to one job is not promised to another', () => {
  const { admit, release } = createSpaceLedger(100, 1000)
  expect(admit('a', 50, 300)).toBe('admitted')
  expect(admit('b', 51, 300)).toBe('no-space')
  expect(admit('a', 60, 300)).toBe('admitted')
  release('a')
  expect(admit('b', 51, 300)).toBe('admitted')
})

test('what is too large is refused, however much is free', () => {
  const { admit } = createSpaceLedger(0, 1000)
  expect(admit('a', 1001, Number.MAX_SAFE_INTEGER)).toBe('too-large')
})
