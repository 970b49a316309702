import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import { roomOf, roomsOf } from '../../../src/live/shards.ts'

test('a user is in exactly one room, always the same, and all audiences reach it', () => {
  fc.assert(
    fc.property(fc.string(), fc.integer({ min: 1, max: 16 }), (userId, shards) => {
      const room = roomOf(userId, shards)
      expect(roomsOf({ kind: 'user', userId }, shards)).toEqual([room])
      expect(roomsOf({ kind: 'admins' }, shards)).toContain(room)
      expect(roomsOf({ kind: 'section', libraryKey: '1' }, shards)).toContain(room)
    }),
  )
})

test('users spread over the rooms', () => {
  const counts = new Map<string, number>()
  for (let user = 0; user < 4_000; user += 1) {
    const room = roomOf(String(user), 4)
    counts.set(room, (counts.get(room) ?? 0) + 1)
  }
  expect(counts.size).toBe(4)
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(200)
})
