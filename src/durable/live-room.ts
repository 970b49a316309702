import { DurableObject } from 'cloudflare:workers'

import type { Download } from '#contract/downloads.ts'
import { pingFrame, pongFrame } from '#contract/downloader-link.ts'
import type { Audience, LiveEvent, LiveEventName } from '#contract/live.ts'

import type { Claims } from '../http/env.ts'
import { closeCodes } from '../live/close-codes.ts'
import { EndedSessions } from '../live/ended-sessions.ts'
import { Entry, entryHeader, hears, type Listener } from '../live/listener.ts'
import { Recent } from '../live/recent.ts'
import { nextSeq } from '../live/sequence.ts'
import type { StoredTicket } from '../live/ticket.ts'
import { close, LiveSockets } from './live-sockets.ts'
import { LiveTickets } from './live-tickets.ts'

const maxRecentEvents = 256
const snapshotMs = 5_000

type Told = {
  readonly seq: number
  readonly audience: Audience
  readonly event: LiveEventName
  readonly text: string
}
type CatchUp = { readonly seq: number; readonly missed: readonly string[]; readonly resync: boolean }

/** Where many users listen. Hibernates: what must be remembered of a socket rides in its attachment. */
export class LiveRoom extends DurableObject<Env> {
  #seq = nextSeq(0, Date.now())
  readonly #recent = new Recent<Told>(maxRecentEvents, this.#seq)
  readonly #sockets = new LiveSockets(this.ctx)
  readonly #tickets = new LiveTickets(this.ctx.storage.kv)
  readonly #ended = new EndedSessions()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(pingFrame, pongFrame))
    for (const [socket, listener] of this.#sockets.ungreeted()) {
      this.#sockets.hold(listener)
      this.#greet(socket, listener, this.#fromNow(true))
    }
  }

  override fetch(request: Request): Response {
    const { since, ...identity } = Entry.parse(
      JSON.parse(decodeURIComponent(request.headers.get(entryHeader) ?? '')),
    )
    if (this.#ended.has(identity)) return new Response(null, { status: 401 })
    const catchUp = this.#catchUp(identity, since)
    const listener = {
      ...identity,
      id: crypto.randomUUID(),
      arrival: this.#seq,
      greeted: false,
      mistakes: 0,
    }
    const { 0: client, 1: server } = new WebSocketPair()
    this.#sockets.accept(server, listener)
    this.#greet(server, listener, catchUp)
    return new Response(null, { status: 101, webSocket: client })
  }

  /** Tells everybody an event is for, and waits for nobody; the number of sockets it was given to. */
  publish(audience: Audience, event: LiveEvent, now = Date.now()): number {
    this.#seq = nextSeq(this.#seq, now)
    const text = frame(this.#seq, event, now)
    // Progress is not kept: the next one says more, and so does the snapshot.
    if (event.event !== 'youtube:progress') {
      this.#recent.add({ seq: this.#seq, audience, event: event.event, text })
    }
    return this.#sockets.tell(audience, { event, text }, now)
  }

  /** Ends what a session, or every session of a user, holds here. */
  disconnect(userId: string, sessionId?: string, now = Date.now()): void {
    this.#ended.add(userId, sessionId, now)
    this.#tickets.forget(userId, sessionId)
    this.#sockets.end(userId, sessionId)
  }

  /** What a user may hear of has changed. */
  reauthenticate(userId: string): void {
    this.#sockets.reauthenticate(userId)
  }

  keepTicket(ticket: StoredTicket, now = Date.now()): void {
    this.#tickets.keep(ticket, now)
  }

  takeTicket(userId: string, hash: string, now = Date.now()): Claims | undefined {
    return this.#tickets.take(userId, hash, now)
  }

  override webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): void {
    this.#sockets.receive(socket, data)
  }

  // These codes never travel: they only say that no close frame came.
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    if (code !== 1005 && code !== 1006 && code !== 1015) close(socket, { code, reason })
  }

  override webSocketError(socket: WebSocket): void {
    close(socket, closeCodes.failed)
  }

  #fromNow(resync: boolean): CatchUp {
    this.#seq = nextSeq(this.#seq, Date.now())
    return { seq: this.#seq, missed: [], resync }
  }

  #catchUp(listener: Omit<Entry, 'since'>, since: number | undefined): CatchUp {
    if (since === undefined) return this.#fromNow(false)
    const missed = since <= this.#seq ? this.#recent.after(since) : undefined
    if (!missed) return this.#fromNow(true)
    const own = missed.filter(({ audience, event }) => hears(listener, audience, event))
    // The hello takes the number the client already has: what it missed comes after it and counts on.
    return { seq: since, missed: own.map(({ text }) => text), resync: false }
  }

  #greet(socket: WebSocket, listener: Listener, { seq, missed, resync }: CatchUp): void {
    const greeting = this.#snapshot(listener.userId).then((active) => {
      const downloads = active ?? []
      const data = { downloads, resync: resync || active === undefined }
      const texts = [frame(seq, { event: 'hello', data }, Date.now()), ...missed]
      this.#sockets.greet(socket, listener, { texts, downloads })
    })
    this.ctx.waitUntil(greeting)
  }

  async #snapshot(userId: string): Promise<Download[] | undefined> {
    const patience = new AbortController()
    try {
      const late = scheduler.wait(snapshotMs, { signal: patience.signal }).then(() => undefined)
      return await Promise.race([this.env.DOWNLOAD_QUEUE.getByName('main').active(userId), late])
    } catch {
      return undefined
    } finally {
      patience.abort()
    }
  }
}

function frame(seq: number, { event, data }: LiveEvent, now: number): string {
  return JSON.stringify({ seq, at: new Date(now).toISOString(), event, data })
}
