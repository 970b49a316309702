import type { Log } from '../http/env.ts'
import type { LiveRooms } from '../live/ports.ts'
import { plexPath, type PlexReader } from '../plex/ports.ts'
import { sha256Hex } from './secrets.ts'
import type { ContentGates } from './user-gates.ts'

/** Nobody's sign-in is renewed later than this because Plex is slow. */
const patienceMs = 2_000

type Options = {
  readonly reader: PlexReader
  readonly gates: Pick<ContentGates, 'noteShare'>
  readonly rooms: Pick<LiveRooms, 'reauthenticate'>
  readonly wait: (ms: number) => Promise<unknown>
  readonly log: Log
}

/** Who sees which libraries, as Plex last said. */
export function createShares({ reader, gates, rooms, wait, log }: Options) {
  const ask = async (userId: string): Promise<void> => {
    try {
      await reader.read(userId, { path: plexPath`/library/sections` })
    } catch (cause) {
      log('info', 'share-unconfirmed', { userId, cause: String(cause) })
    }
  }

  return {
    /** Another share than before is another scope, and sockets that listened under the old one have to come back. */
    async note(userId: string, share: string): Promise<void> {
      if ((await gates.noteShare(userId, await sha256Hex(share))) === 'same') return
      log('info', 'share-changed', { userId })
      await rooms.reauthenticate(userId)
    },

    /** Asks Plex anew; what it says is noted. Without an answer in time everything stays as it is. */
    async confirm(userId: string): Promise<void> {
      await Promise.race([ask(userId), wait(patienceMs)])
    },
  }
}
