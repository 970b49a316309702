import type { LiveRoom } from '../durable/live-room.ts'
import type { Log } from '../http/env.ts'
import { entryHeader } from '../live/listener.ts'
import type { LiveRooms } from '../live/ports.ts'
import { roomOf, roomsOf } from '../live/shards.ts'

/** The rooms as Durable Objects, users spread over `shards` of them. */
export function createLiveRooms(
  namespace: DurableObjectNamespace<LiveRoom>,
  shards: number,
  log: Log,
): LiveRooms {
  const room = (userId: string) => namespace.getByName(roomOf(userId, shards))
  return {
    async publish(audience, event) {
      const told = await Promise.allSettled(
        roomsOf(audience, shards).map((name) => namespace.getByName(name).publish(audience, event)),
      )
      for (const result of told) {
        if (result.status === 'rejected')
          log('warn', 'live-publish-failed', { event: event.event, cause: String(result.reason) })
      }
    },

    async disconnect(userId, sessionId) {
      await room(userId).disconnect(userId, sessionId)
    },

    async reauthenticate(userId) {
      await room(userId).reauthenticate(userId)
    },

    async connect(entry) {
      const headers = { Upgrade: 'websocket', [entryHeader]: encodeURIComponent(JSON.stringify(entry)) }
      const response = await room(entry.userId).fetch('https://live-room/', { headers })
      return response.status === 101 ? response : undefined
    },

    async keepTicket(ticket) {
      await room(ticket.claims.userId).keepTicket(ticket)
    },

    takeTicket: async (userId, hash, now) => room(userId).takeTicket(userId, hash, now),
  }
}
