import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { expect, test } from 'vitest'

import { newRoom, newUser } from './support.ts'

const ticketFor = (userId: string, sessionId = 's1', expiresAt = 30_000) => ({
  hash: crypto.randomUUID(),
  claims: { userId, sessionId, role: 'user' as const },
  expiresAt,
})

test('a ticket lets in once, also when the room was evicted in between', async () => {
  const room = newRoom()
  const userId = newUser()
  const ticket = ticketFor(userId)
  await room.keepTicket(ticket, 0)
  await evictDurableObject(room)
  expect(await room.takeTicket(userId, ticket.hash, 29_999)).toEqual(ticket.claims)
  expect(await room.takeTicket(userId, ticket.hash, 29_999)).toBeUndefined()
})

test('of many who show the same ticket at once, one is let in', async () => {
  const room = newRoom()
  const userId = newUser()
  const ticket = ticketFor(userId)
  await room.keepTicket(ticket, 0)
  const taken = await Promise.all(Array.from({ length: 20 }, () => room.takeTicket(userId, ticket.hash, 1)))
  expect(taken.filter((claims) => claims !== undefined)).toHaveLength(1)
})

test('a ticket is void after its time, for another user, and when its session ended', async () => {
  const room = newRoom()
  const userId = newUser()
  const [late, foreign, ended, other] = [
    ticketFor(userId),
    ticketFor(userId),
    ticketFor(userId, 's2'),
    ticketFor(userId),
  ]
  for (const ticket of [late, foreign, ended, other]) await room.keepTicket(ticket, 0)
  await room.disconnect(userId, 's2')
  expect(await room.takeTicket(userId, late.hash, 30_000)).toBeUndefined()
  expect(await room.takeTicket(newUser(), foreign.hash, 1)).toBeUndefined()
  expect(await room.takeTicket(userId, ended.hash, 1)).toBeUndefined()
  expect(await room.takeTicket(userId, other.hash, 1)).toEqual(other.claims)
})

test('tickets nobody used do not pile up', async () => {
  const room = newRoom()
  const userId = newUser()
  for (let count = 0; count < 15; count += 1)
    await room.keepTicket(ticketFor(userId, 's1', 30_000 + count), 0)
  const stored = () =>
    runInDurableObject(room, (_, state) => [...state.storage.kv.list({ prefix: 'ticket:' })].length)
  expect(await stored()).toBe(10)
  await room.keepTicket(ticketFor(newUser(), 's1', 90_000), 60_000)
  expect(await stored()).toBe(1)
})
