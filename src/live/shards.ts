import type { Audience } from '#contract/live.ts'

/** The room of one user. All of a user's sockets and tickets are in the same one. */
export function roomOf(userId: string, shards: number): string {
  return roomName(fnv1a(userId) % shards)
}

/** The rooms in which an audience may sit. */
export function roomsOf(audience: Audience, shards: number): readonly string[] {
  if (audience.kind === 'user') return [roomOf(audience.userId, shards)]
  return Array.from({ length: shards }, (_, shard) => roomName(shard))
}

const roomName = (shard: number) => `room-${shard}`

function fnv1a(text: string): number {
  let hash = 0x811c9dc5
  for (let at = 0; at < text.length; at += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193)
  }
  return hash >>> 0
}
