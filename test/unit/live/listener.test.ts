import * as fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  liveEvents,
  liveTopics,
  topicOf,
  type Audience,
  type LiveEventName,
} from '../../../src/contract/live.ts'
import { hears } from '../../../src/live/listener.ts'

const anna = { userId: '1', role: 'user', libraries: ['1', '7'], topics: [] } as const
const admin = { userId: '9', role: 'admin', libraries: [], topics: [] } as const
const event: LiveEventName = 'media:available'
const names = Object.keys(liveEvents).filter((name): name is LiveEventName => name in liveEvents)

test('an event for one user is for no other, admins included', () => {
  const own: Audience = { kind: 'user', userId: '1' }
  expect(hears(anna, own, event)).toBe(true)
  expect(hears({ ...anna, userId: '2' }, own, event)).toBe(false)
  expect(hears(admin, own, event)).toBe(false)
})

test('an event of a library is for those it was shared with, and for admins', () => {
  expect(hears(anna, { kind: 'section', libraryKey: '7' }, event)).toBe(true)
  expect(hears(anna, { kind: 'section', libraryKey: '2' }, event)).toBe(false)
  expect(hears(admin, { kind: 'section', libraryKey: '2' }, event)).toBe(true)
})

test('an event for admins is for nobody else', () => {
  expect(hears(admin, { kind: 'admins' }, 'health:changed')).toBe(true)
  expect(hears(anna, { kind: 'admins' }, 'health:changed')).toBe(false)
})

test('topics narrow and never widen', () => {
  fc.assert(
    fc.property(
      fc.subarray([...liveTopics]),
      fc.constantFrom(...names),
      fc.constantFrom<Audience>(
        { kind: 'user', userId: '1' },
        { kind: 'section', libraryKey: '2' },
        { kind: 'admins' },
      ),
      (topics, name, audience) => {
        const narrowed = hears({ ...anna, topics }, audience, name)
        const asked = topics.length === 0 || topics.some((topic) => topic === topicOf(name))
        expect(narrowed).toBe(hears(anna, audience, name) && asked)
      },
    ),
  )
})

test('every event but the hello belongs to a topic one can ask for', () => {
  const topics = new Set(names.map(topicOf))
  expect([...topics].toSorted()).toEqual(['hello', ...liveTopics].toSorted())
})
