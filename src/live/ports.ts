import type { Audience, LiveEvent } from '#contract/live.ts'

import type { Caller, Claims } from '../http/env.ts'
import type { Entry } from './listener.ts'
import type { StoredTicket } from './ticket.ts'

/** Tells an audience at once, or not at all: who is away learns of it from a snapshot. Never throws. */
export type Publish = (audience: Audience, event: LiveEvent) => Promise<void>

/** The rooms, each user in one of them. */
export type LiveRooms = {
  readonly publish: Publish
  /** Ends the sockets and tickets of one session, or of all sessions of a user. */
  disconnect(userId: string, sessionId?: string): Promise<void>
  /** Has every socket of a user come back, since what they may hear of has changed. */
  reauthenticate(userId: string): Promise<void>
  /** The upgraded response, or `undefined` when the session has ended meanwhile. */
  connect(entry: Entry): Promise<Response | undefined>
  keepTicket(ticket: StoredTicket): Promise<void>
  /** Whom the ticket lets in; it is void afterwards. */
  takeTicket(userId: string, hash: string, now: number): Promise<Claims | undefined>
}

export type LiveDependencies = {
  readonly rooms: Pick<LiveRooms, 'connect' | 'keepTicket' | 'takeTicket'>
  /** Keys of the Plex libraries that were shared with this user. */
  readonly libraryKeys: (caller: Caller) => Promise<readonly string[]>
  readonly randomBytes: (count: number) => Uint8Array
  readonly now: () => number
  readonly wait: (ms: number) => Promise<unknown>
}
