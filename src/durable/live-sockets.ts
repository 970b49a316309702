import { parseFrame } from '#contract/downloader-link.ts'
import type { Download } from '#contract/downloads.ts'
import { LiveCommand, type Audience, type LiveEvent } from '#contract/live.ts'

import { afterHello } from '../live/after-hello.ts'
import { closeCodes, type Closing } from '../live/close-codes.ts'
import { hears, Listener } from '../live/listener.ts'

type State = Pick<DurableObjectState, 'acceptWebSocket' | 'getWebSockets'>

const maxSocketsPerUser = 20
const maxMessageLength = 4_096
const maxMistakes = 20
/** A share may end without anybody telling us: at the first event after this, who listens proves it again. */
const maxListeningMs = 60 * 60_000

const adminTag = 'admins'
const userTag = (userId: string) => `user:${userId}`

type Said = { readonly event: LiveEvent; readonly text: string }
type Greeting = { readonly texts: readonly string[]; readonly downloads: readonly Download[] }

/** The sockets of a room, and who listens on each. */
export class LiveSockets {
  readonly #state: State
  /** What was said before a socket's greeting; it follows the greeting. */
  readonly #held = new Map<string, Said[]>()

  constructor(state: State) {
    this.#state = state
  }

  /** Takes a new socket in; nothing is said on it until it is greeted. */
  accept(socket: WebSocket, listener: Listener): void {
    this.#makePlace(listener.userId)
    const tags = [userTag(listener.userId), ...(listener.role === 'admin' ? [adminTag] : [])]
    this.#state.acceptWebSocket(socket, tags)
    remember(socket, listener)
    this.hold(listener)
  }

  hold({ id }: Listener): void {
    this.#held.set(id, [])
  }

  greet(socket: WebSocket, { id }: Listener, { texts, downloads }: Greeting): void {
    const held = afterHello(downloads, this.#held.get(id) ?? []).map(({ text }) => text)
    this.#held.delete(id)
    // Read again: the client may have narrowed its topics meanwhile.
    const listener = listenerOf(socket)
    if (listener && [...texts, ...held].every((text) => send(socket, text))) {
      remember(socket, { ...listener, greeted: true })
    }
  }

  /** Sockets that a restart caught between their arrival and their greeting. */
  ungreeted(): readonly (readonly [WebSocket, Listener])[] {
    return this.#state.getWebSockets().flatMap((socket) => {
      const listener = listenerOf(socket)
      return listener && !listener.greeted && isOpen(socket) ? [[socket, listener] as const] : []
    })
  }

  /** Gives an event to all it is meant for, waiting for nobody; how many that were. */
  tell(audience: Audience, said: Said, now: number): number {
    const heard = (socket: WebSocket) => isOpen(socket) && this.#tellOne(socket, audience, said, now)
    return this.#addressed(audience).filter(heard).length
  }

  end(userId: string, sessionId: string | undefined): void {
    for (const socket of this.#state.getWebSockets(userTag(userId))) {
      const held = listenerOf(socket)?.sessionId
      if (sessionId === undefined || held === undefined || held === sessionId) {
        close(socket, closeCodes.sessionEnded)
      }
    }
  }

  /** Closes all of a user's sockets; each is asked to come back, and is told then what it may hear. */
  reauthenticate(userId: string): void {
    for (const socket of this.#state.getWebSockets(userTag(userId))) close(socket, closeCodes.reauthenticate)
  }

  receive(socket: WebSocket, data: string | ArrayBuffer): void {
    const length = typeof data === 'string' ? data.length : data.byteLength
    if (length > maxMessageLength) return close(socket, closeCodes.tooBig)
    const listener = listenerOf(socket)
    if (!listener) return close(socket, closeCodes.failed)
    const command = parseFrame(LiveCommand, data)
    if (command) return remember(socket, { ...listener, topics: command.topics })
    if (listener.mistakes >= maxMistakes) return close(socket, closeCodes.unsupported)
    remember(socket, { ...listener, mistakes: listener.mistakes + 1 })
  }

  #addressed(audience: Audience): readonly WebSocket[] {
    if (audience.kind === 'user') return this.#state.getWebSockets(userTag(audience.userId))
    return this.#state.getWebSockets(audience.kind === 'admins' ? adminTag : undefined)
  }

  #tellOne(socket: WebSocket, audience: Audience, said: Said, now: number): boolean {
    const listener = listenerOf(socket)
    if (!listener || now - listener.admittedAt > maxListeningMs) {
      close(socket, closeCodes.reauthenticate)
      return false
    }
    if (!hears(listener, audience, said.event.event)) return false
    const held = this.#held.get(listener.id)
    return held ? held.push(said) > 0 : send(socket, said.text)
  }

  #makePlace(userId: string): void {
    const open = this.#state.getWebSockets(userTag(userId)).filter(isOpen)
    const eldest = open.toSorted((a, b) => (listenerOf(a)?.arrival ?? 0) - (listenerOf(b)?.arrival ?? 0))
    for (const socket of eldest.slice(0, Math.max(0, open.length - maxSocketsPerUser + 1))) {
      close(socket, closeCodes.tooManySockets)
    }
  }
}

const isOpen = (socket: WebSocket): boolean => socket.readyState === WebSocket.OPEN

/** `undefined` when another version of this code wrote it and it cannot be read. */
function listenerOf(socket: WebSocket): Listener | undefined {
  return Listener.safeParse(socket.deserializeAttachment()).data
}

function remember(socket: WebSocket, listener: Listener): void {
  socket.serializeAttachment(listener)
}

/** A socket that cannot be written to is closed; its client reconnects and catches up. */
function send(socket: WebSocket, text: string): boolean {
  try {
    socket.send(text)
    return true
  } catch {
    close(socket, closeCodes.failed)
    return false
  }
}

export function close(socket: WebSocket, { code, reason }: Closing): void {
  try {
    socket.close(code, reason)
  } catch {
    // It is closed already.
  }
}
