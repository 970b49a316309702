import type { Claims } from '../http/env.ts'
import type { StoredTicket } from '../live/ticket.ts'

type Storage = Pick<DurableObjectStorage['kv'], 'get' | 'put' | 'delete' | 'list'>

const prefix = 'ticket:'
const maxPerUser = 10

/** The single-use tickets of a room, known by their hash alone. */
export class LiveTickets {
  readonly #storage: Storage

  constructor(storage: Storage) {
    this.#storage = storage
  }

  keep(ticket: StoredTicket, now: number): void {
    const kept = this.#all()
    for (const { hash } of kept.filter(({ expiresAt }) => expiresAt <= now)) this.#drop(hash)
    const own = kept
      .filter(({ claims, expiresAt }) => claims.userId === ticket.claims.userId && now < expiresAt)
      .toSorted((a, b) => a.expiresAt - b.expiresAt)
    for (const { hash } of own.slice(0, Math.max(0, own.length - maxPerUser + 1))) this.#drop(hash)
    this.#storage.put(prefix + ticket.hash, ticket)
  }

  take(userId: string, hash: string, now: number): Claims | undefined {
    const ticket = this.#storage.get<StoredTicket>(prefix + hash)
    if (!ticket) return undefined
    this.#drop(hash)
    return now < ticket.expiresAt && ticket.claims.userId === userId ? ticket.claims : undefined
  }

  forget(userId: string, sessionId: string | undefined): void {
    for (const { hash, claims } of this.#all()) {
      if (claims.userId === userId && (sessionId ?? claims.sessionId) === claims.sessionId) this.#drop(hash)
    }
  }

  #all(): readonly StoredTicket[] {
    return [...this.#storage.list<StoredTicket>({ prefix })].map(([, ticket]) => ticket)
  }

  #drop(hash: string): void {
    this.#storage.delete(prefix + hash)
  }
}
