import { Problem } from '#contract/problem.ts'

import type { Caller, Claims } from '../http/env.ts'
import type { Entry } from './listener.ts'
import type { LiveDependencies } from './ports.ts'
import { formatTicket, hashTicket, holderOf, ticketSeconds } from './ticket.ts'

/** Plex has this long to say which libraries a user may see; a socket is not kept waiting for more. */
const libraryMs = 3_000
const maxLibraries = 1_000

export type Live = ReturnType<typeof createLive>

export function createLive({ rooms, libraryKeys, randomBytes, now, wait }: LiveDependencies) {
  /** Fails closed: who cannot be shown to share a library hears nothing of it. An admin hears of all anyway. */
  const librariesOf = async (caller: Caller): Promise<readonly string[]> => {
    if (caller.role === 'admin') return []
    const nothing = wait(libraryMs).then((): readonly string[] => [])
    try {
      return await Promise.race([libraryKeys(caller), nothing])
    } catch {
      return []
    }
  }

  return {
    /** A credential for one connection, for clients that can send neither header nor cookie. */
    async issueTicket({ userId, sessionId, role }: Caller) {
      const ticket = formatTicket(userId, randomBytes(32))
      const expiresAt = now() + ticketSeconds * 1_000
      await rooms.keepTicket({
        hash: await hashTicket(ticket),
        claims: { userId, sessionId, role },
        expiresAt,
      })
      return { ticket, expiresAt: new Date(expiresAt).toISOString() }
    },

    async redeemTicket(ticket: string): Promise<Claims> {
      const userId = holderOf(ticket)
      const claims = userId && (await rooms.takeTicket(userId, await hashTicket(ticket), now()))
      if (!claims) throw new Problem('unauthenticated')
      return claims
    },

    async connect(caller: Caller, wishes: Pick<Entry, 'topics' | 'admittedAt' | 'since'>): Promise<Response> {
      const { userId, sessionId, role } = caller
      const libraries = (await librariesOf(caller)).slice(0, maxLibraries)
      const response = await rooms.connect({ userId, sessionId, role, libraries, ...wishes })
      if (!response) throw new Problem('session-revoked')
      return response
    },
  }
}
