import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  decimal,
  flag,
  instant,
  integer,
  isContainer,
  rows,
  text,
  total,
} from '../../../src/plex/container.ts'

const now = Date.UTC(2026, 0, 1)

test('numbers are read from numbers and from text, and from nothing else', () => {
  expect([integer(7), integer('7'), integer('-7'), integer('7.9'), integer(7.9)]).toEqual([7, 7, -7, 7, 7])
  expect(decimal('0.52000')).toBe(0.52)
  for (const value of [
    '',
    ' ',
    'seven',
    '0x10',
    '1e3',
    '7,5',
    null,
    undefined,
    true,
    [],
    {},
    Number.NaN,
    1 / 0,
  ]) {
    expect(integer(value), String(value)).toBeUndefined()
    expect(decimal(value), String(value)).toBeUndefined()
  }
  expect(integer(1e300)).toBeUndefined()
})

test('text that looks like a number stays text, and a number becomes text', () => {
  expect([text('300'), text('1917'), text(22)]).toEqual(['300', '1917', '22'])
  expect([text(''), text(null), text(true), text({}), text(Number.NaN)]).toEqual(Array(5).fill(undefined))
})

test('a list may be missing, empty, single or full of holes', () => {
  expect(rows(undefined)).toEqual([])
  expect(rows(null)).toEqual([])
  expect(rows('not a list')).toEqual([])
  expect(rows({ key: '1' })).toEqual([{ key: '1' }])
  expect(rows([null, { key: '1' }, 'text', [], { key: '2' }])).toEqual([{ key: '1' }, { key: '2' }])
})

test('a list that is none makes a container unreadable, so that it is not taken for an empty library', () => {
  const lists = [undefined, null, '', [], {}, { ratingKey: '1' }, [{}], [null, { ratingKey: '1' }]]
  const others = ['Movies', 0, 7, true, ['1', '2'], [null], [[{}]]]
  for (const name of ['Metadata', 'Directory', 'Hub', 'Activity']) {
    expect(lists.map((value) => isContainer({ size: 1, [name]: value }))).toEqual(lists.map(() => true))
    expect(others.map((value) => isContainer({ size: 1, [name]: value }))).toEqual(others.map(() => false))
  }
  expect(
    isContainer({
      Hub: [
        { type: 'movie', size: 0 },
        { type: 'show', Metadata: [{}] },
      ],
    }),
  ).toBe(true)
  expect(isContainer({ Hub: [{ type: 'movie', Metadata: 'none' }] })).toBe(false)
  expect([null, 'x', [], 7].map(isContainer)).toEqual([false, false, false, false])
})

test('truth is told in three ways, and "0" or "false" is not among them', () => {
  expect([true, 1, '1'].map(flag)).toEqual([true, true, true])
  expect([false, 0, '0', 'false', 'true', null, undefined, 2].map(flag)).toEqual(Array(8).fill(false))
})

test('zero is no date, and one in the future is now', () => {
  expect([instant(0, now), instant('0', now), instant(-5, now), instant(null, now)]).toEqual(
    Array(4).fill(undefined),
  )
  expect(instant(Date.UTC(2099, 11, 31) / 1000, now)).toBe('2026-01-01T00:00:00.000Z')
  expect(instant('1704067200', now)).toBe('2024-01-01T00:00:00.000Z')
})

test('the total is what the body says, else the header, else what is known to be there', () => {
  expect(total({ totalSize: '40' }, '41', 10, 5)).toBe(40)
  expect(total({ size: 5 }, '41', 10, 5)).toBe(41)
  expect(total({ size: 5 }, undefined, 10, 5)).toBe(15)
  expect(total({ totalSize: -1 }, undefined, 0, 0)).toBe(0)
})

test('no value makes a reader throw, and dates are dates that are not in the future', () => {
  fc.assert(
    fc.property(fc.anything(), (value) => {
      rows(value)
      text(value)
      flag(value)
      const whole = integer(value)
      if (whole !== undefined) expect(Number.isSafeInteger(whole)).toBe(true)
      const at = instant(value, now)
      if (at !== undefined) expect(Date.parse(at)).toBeLessThanOrEqual(now)
    }),
  )
})
