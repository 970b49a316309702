import { expect, test } from 'vitest'

import { EndedSessions } from '../../../src/live/ended-sessions.ts'

const admitted = (admittedAt: number, sessionId = 's1', userId = '1') => ({ userId, sessionId, admittedAt })

test('a session that ended lets nobody in, others of the same user do', () => {
  const ended = new EndedSessions()
  ended.add('1', 's1', 1_000)
  expect(ended.has(admitted(900))).toBe(true)
  expect(ended.has(admitted(1_100))).toBe(true)
  expect(ended.has(admitted(900, 's2'))).toBe(false)
  expect(ended.has(admitted(900, 's1', '2'))).toBe(false)
})

test('when all sessions of a user ended, only a later sign-in counts', () => {
  const ended = new EndedSessions()
  ended.add('1', undefined, 1_000)
  expect(ended.has(admitted(1_000))).toBe(true)
  expect(ended.has(admitted(1_001, 's2'))).toBe(false)
  expect(ended.has(admitted(900, 's1', '2'))).toBe(false)
})

test('what ended long ago is forgotten', () => {
  const ended = new EndedSessions()
  ended.add('1', 's1', 1_000)
  ended.add('2', 's2', 62_000)
  expect(ended.has(admitted(900))).toBe(false)
})
