import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { expect, test, vi } from 'vitest'

import type { Audience } from '#contract/live.ts'

import type { LiveRoom } from '../../../src/durable/live-room.ts'
import { Listener } from '../../../src/live/listener.ts'
import { cancelled, knock, listen, newRoom, newUser } from './support.ts'

const user = (userId: string): Audience => ({ kind: 'user', userId })

test('a socket that is gone does not keep an event from the others', async () => {
  const room = newRoom()
  const userId = newUser()
  const gone = await listen(room, { userId })
  const here = await listen(room, { userId })
  await Promise.all([gone.frame(), here.frame()])
  gone.socket.close(1001, 'going away')
  await gone.closed
  await room.publish(user(userId), cancelled())
  expect(await here.frame()).toMatchObject({ event: 'youtube:cancelled' })
})

test('a socket that cannot be written to is closed and keeps nothing from the others', async () => {
  const room = newRoom()
  const userId = newUser()
  const broken = await listen(room, { userId, sessionId: 'broken' })
  const here = await listen(room, { userId })
  await Promise.all([broken.frame(), here.frame()])
  const reached = await runInDurableObject(room, (instance: LiveRoom, state) => {
    for (const socket of state.getWebSockets()) {
      const { sessionId } = Listener.parse(socket.deserializeAttachment())
      if (sessionId === 'broken') {
        vi.spyOn(socket, 'send').mockImplementation(() => {
          throw new TypeError('broken')
        })
      }
    }
    return instance.publish(user(userId), cancelled())
  })
  expect(reached).toBe(1)
  expect(await here.frame()).toMatchObject({ event: 'youtube:cancelled' })
  expect((await broken.closed).code).toBe(1011)
})

test('a session that ends closes its own sockets and takes in no more', async () => {
  const room = newRoom()
  const userId = newUser()
  const ending = await listen(room, { userId, sessionId: 'ending' })
  const staying = await listen(room, { userId, sessionId: 'staying' })
  await room.disconnect(userId, 'ending')
  expect(await ending.closed).toEqual({ code: 4401, reason: 'session ended' })
  expect((await knock(room, { userId, sessionId: 'ending' })).status).toBe(401)
  await staying.frame()
  expect(await room.publish(user(userId), cancelled())).toBe(1)
})

test('when all sessions of a user end, only a later sign-in is let in', async () => {
  const room = newRoom()
  const userId = newUser()
  const now = Date.now()
  const sockets = [await listen(room, { userId }), await listen(room, { userId })]
  await room.disconnect(userId, undefined, now)
  for (const { closed } of sockets) expect((await closed).code).toBe(4401)
  expect((await knock(room, { userId, admittedAt: now - 1 })).status).toBe(401)
  expect((await knock(room, { userId, admittedAt: now + 1 })).status).toBe(101)
})

test('whose share has changed is asked to come back, and is let in', async () => {
  const room = newRoom()
  const [userId, other] = [newUser(), newUser()]
  const [one, two, another] = [
    await listen(room, { userId }),
    await listen(room, { userId }),
    await listen(room, { userId: other }),
  ]
  await another.frame()
  await room.reauthenticate(userId)
  for (const { closed } of [one, two]) expect((await closed).code).toBe(4408)
  expect(await room.publish(user(other), cancelled())).toBe(1)
  expect((await knock(room, { userId })).status).toBe(101)
})

test('who has listened for an hour is asked to prove who they are before more is said', async () => {
  const room = newRoom()
  const userId = newUser()
  const client = await listen(room, { userId })
  await client.frame()
  const now = Date.now()
  expect(await room.publish(user(userId), cancelled(), now + 59 * 60_000)).toBe(1)
  expect(await room.publish(user(userId), cancelled(), now + 61 * 60_000)).toBe(0)
  expect((await client.closed).code).toBe(4408)
})

test('the 21st socket of a user ends the first', async () => {
  const room = newRoom()
  const userId = newUser()
  const other = await listen(room)
  const sockets = []
  for (let count = 0; count < 21; count += 1) sockets.push(await listen(room, { userId }))
  expect((await sockets[0]?.closed)?.code).toBe(4429)
  await Promise.all([other, ...sockets].map(({ frame }) => frame()))
  expect(await room.publish(user(userId), cancelled())).toBe(20)
  expect(other.waiting()).toEqual([])
})

test('a ping is answered', async () => {
  const client = await listen(newRoom())
  await client.frame()
  client.socket.send('ping')
  expect(await client.text()).toBe('pong')
})

test('nonsense is ignored twenty times, also across an eviction, and then ends the connection', async () => {
  const room = newRoom()
  const userId = newUser()
  const client = await listen(room, { userId })
  await client.frame()
  const nonsense = [
    '{',
    '{"type":"narrow"}',
    '{"type":"narrow","topics":["weather"]}',
    '[]',
    '{"type":"publish","topics":[]}',
  ]
  for (const text of [...nonsense, ...nonsense]) client.socket.send(text)
  client.socket.send('ping')
  await client.text()
  await evictDurableObject(room)
  for (const text of [...nonsense, ...nonsense]) client.socket.send(text)
  await room.publish(user(userId), cancelled())
  expect(await client.frame()).toMatchObject({ event: 'youtube:cancelled' })
  client.socket.send(new Uint8Array([1, 2, 3]))
  expect((await client.closed).code).toBe(1003)
})

test('a message of more than four kilobytes ends the connection', async () => {
  const client = await listen(newRoom())
  client.socket.send(JSON.stringify({ type: 'narrow', topics: [], padding: 'x'.repeat(4_096) }))
  expect((await client.closed).code).toBe(1009)
})

test('a close is answered with the same code', async () => {
  const client = await listen(newRoom())
  await client.frame()
  client.socket.close(1000, 'done')
  expect((await client.closed).code).toBe(1000)
})
