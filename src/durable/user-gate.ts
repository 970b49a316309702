import { DurableObject } from 'cloudflare:workers'

import type { WindowDecision } from '#resilience/sliding-window.ts'

import { Windows, type NamedPolicy } from './windows.ts'

export type Account = {
  readonly role: 'user' | 'admin'
  /** Grows whenever the user's share of the server may have changed; part of every cache key. */
  readonly scopeVersion: number
  /** When plex.tv last confirmed that the account has access to our server. */
  readonly confirmedAt: number
  /** The number of the last change of the server's content that this user has made. */
  readonly changed?: number
  /** Tells apart what Plex has said that it shares with this user, within this scope. */
  readonly share?: string
}

type Session = {
  readonly refreshHash: string
  readonly createdAt: number
  readonly expiresAt: number
}

export type Admitted =
  | { readonly alive: false }
  | { readonly alive: true; readonly account: Account; readonly decision?: WindowDecision }

const maxSessions = 50

/**
 * One user's sessions and allowances. Every signed-in request passes it once, so that a revoked session is dead at
 * once and everywhere. Refresh tokens are known here by their hash alone. Forgets itself when nothing is left to know.
 */
export class UserGate extends DurableObject<Env> {
  readonly #windows = new Windows(this.ctx.storage.kv, (work) => this.ctx.waitUntil(work))

  /** Records a sign-in: what plex.tv said of the account, and a new session. A PIN opens one session only. */
  async open(
    sessionId: string,
    session: Session,
    account: Pick<Account, 'role' | 'confirmedAt'>,
    pinId: number,
  ): Promise<'opened' | 'pin-used'> {
    const usedPins = this.ctx.storage.kv.get<number[]>('pins') ?? []
    if (usedPins.includes(pinId)) return 'pin-used'
    this.ctx.storage.kv.put('pins', [...usedPins, pinId].slice(-maxSessions))
    const sessions = this.#sessions(session.createdAt)
    const oldest = Object.keys(sessions).toSorted(
      (a, b) => (sessions[a]?.createdAt ?? 0) - (sessions[b]?.createdAt ?? 0),
    )
    for (const id of oldest.slice(0, Math.max(0, oldest.length - maxSessions + 1))) delete sessions[id]
    this.#putSessions({ ...sessions, [sessionId]: session })
    this.ctx.storage.kv.put<Account>('account', {
      ...account,
      scopeVersion: this.#nextScope(session.createdAt),
    })
    await this.ctx.storage.setAlarm(session.expiresAt)
    return 'opened'
  }

  admit(sessionId: string, policy: NamedPolicy | undefined, now = Date.now()): Admitted {
    if (!this.#sessions(now)[sessionId]) return { alive: false }
    const account = this.#account()
    if (!policy) return { alive: true, account }
    return { alive: true, account, decision: this.#windows.take(policy, now, { durable: false }) }
  }

  /** Spends an allowance that must not be lost: it is stored before the answer. What has the same id is charged once. */
  take(policy: NamedPolicy, now = Date.now(), id?: string): WindowDecision {
    return this.#windows.take(policy, now, { durable: true, id })
  }

  peek(policy: NamedPolicy, now = Date.now()): WindowDecision {
    return this.#windows.peek(policy, now)
  }

  /** Whether this is the session's live refresh token. One exchanged before was stolen, or stolen from: the session ends. */
  check(sessionId: string, refreshHash: string, now = Date.now()): Account | undefined {
    const session = this.#sessions(now)[sessionId]
    if (session?.refreshHash === refreshHash) return this.#account()
    if (session) this.revoke(sessionId, now)
    return undefined
  }

  rotate(
    sessionId: string,
    presentedHash: string,
    next: Pick<Session, 'refreshHash' | 'expiresAt'>,
    now = Date.now(),
  ): Account | undefined {
    const account = this.check(sessionId, presentedHash, now)
    const sessions = this.#sessions(now)
    const session = sessions[sessionId]
    if (account && session) this.#putSessions({ ...sessions, [sessionId]: { ...session, ...next } })
    return account
  }

  confirm(role: Account['role'], now = Date.now()): void {
    this.#change((account) => ({ ...account, role, confirmedAt: now }))
  }

  /** The share may have changed: nothing cached for it so far is served again. */
  newScope(now = Date.now()): void {
    this.#change(({ share: _old, ...account }) => ({ ...account, scopeVersion: this.#nextScope(now) }))
  }

  /** Whether someone is signed in who has that share still. */
  holdsScope(scopeVersion: number, now = Date.now()): boolean {
    return this.#account().scopeVersion === scopeVersion && Object.keys(this.#sessions(now)).length > 0
  }

  /** Remembers a change this user has made: what they read next must not be from before it. */
  noteChange(change: number): void {
    this.#change((account) => ({ ...account, changed: Math.max(account.changed ?? 0, change) }))
  }

  /** What Plex shares with this user, as it says now. Something else than before starts a new scope. */
  noteShare(share: string, now = Date.now()): 'new' | 'same' {
    const { share: before, scopeVersion } = this.#account()
    if (before === share) return 'same'
    const isNew = before !== undefined
    const next = isNew ? this.#nextScope(now) : scopeVersion
    this.#change((account) => ({ ...account, share, scopeVersion: next }))
    return isNew ? 'new' : 'same'
  }

  revoke(sessionId: string, now = Date.now()): void {
    const { [sessionId]: _gone, ...rest } = this.#sessions(now)
    this.#putSessions(rest)
  }

  /** Access to the server is gone: all sessions end and everything cached under the old scope is out of reach. */
  revokeAll(now = Date.now()): void {
    if (Object.keys(this.#sessions(now)).length > 0) this.#putSessions({})
    this.newScope(now)
  }

  override async alarm(): Promise<void> {
    const now = Date.now()
    const sessionEnds = Object.values(this.#sessions(now)).map(({ expiresAt }) => expiresAt)
    const needlessAt = Math.max(this.#windows.emptyAt(), ...sessionEnds)
    if (now < needlessAt) return this.ctx.storage.setAlarm(needlessAt)
    this.#windows.forget()
    await this.ctx.storage.deleteAll()
  }

  // Of the clock, so that a gate which has forgotten itself does not come upon a scope of long ago again.
  #nextScope(now: number): number {
    return Math.max(this.#account().scopeVersion + 1, now)
  }

  #account(): Account {
    return this.ctx.storage.kv.get<Account>('account') ?? { role: 'user', scopeVersion: 0, confirmedAt: 0 }
  }

  // Of someone who never signed in, or long ago, there is nothing to change: a stranger leaves nothing behind.
  #change(change: (account: Account) => Account): void {
    const account = this.ctx.storage.kv.get<Account>('account')
    if (account) this.ctx.storage.kv.put('account', change(account))
  }

  #sessions(now: number): Record<string, Session> {
    const stored = this.ctx.storage.kv.get<Record<string, Session>>('sessions') ?? {}
    return Object.fromEntries(Object.entries(stored).filter(([, { expiresAt }]) => now < expiresAt))
  }

  #putSessions(sessions: Record<string, Session>): void {
    this.ctx.storage.kv.put('sessions', sessions)
  }
}
