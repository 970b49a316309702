import { isProblem, Problem } from '#contract/problem.ts'

import type { Claims, Log, Role } from '../http/env.ts'
import type { AccessTokens, Gates, PlexTv, Sealer, SignInBudget, User, UserStore } from './ports.ts'
import { formatRefreshToken, parseRefreshToken } from './refresh-token.ts'

export type AuthDependencies = {
  readonly plexTv: PlexTv
  readonly users: UserStore
  readonly gates: Gates
  readonly accessTokens: AccessTokens
  readonly budget: SignInBudget
  readonly sealer: Sealer
  readonly endLiveSessions: (userId: string, sessionId?: string) => Promise<void>
  /** Asks Plex what it shares with this user now; best effort, and soon given up. */
  readonly confirmShare: (userId: string) => Promise<void>
  readonly adminUserId: string | undefined
  readonly log: Log
  readonly now: () => number
  readonly newId: () => string
  /** 256 random bits in base64url. */
  readonly newSecret: () => string
  readonly hash: (text: string) => Promise<string>
}

export type SignInResult = {
  readonly user: { readonly id: string; readonly username: string; readonly role: Role }
  readonly accessToken: string
  readonly accessTokenExpiresAt: string
  readonly refreshToken: string
  readonly refreshTokenExpiresAt: number
}

export type Auth = ReturnType<typeof createAuth>

const refreshLifetimeMs = 30 * 24 * 60 * 60_000
/** How long plex.tv's word on a membership is good while it cannot be asked. */
const unconfirmedForMs = 24 * 60 * 60_000
const confirmEveryMs = 5 * 60_000

export function createAuth(dependencies: AuthDependencies) {
  const { plexTv, users, gates, accessTokens, sealer, log, now, newId, newSecret, hash } = dependencies

  const roleOf = (accountId: string, owned: boolean): Role =>
    owned || accountId === dependencies.adminUserId ? 'admin' : 'user'

  const issue = async (
    user: SignInResult['user'],
    sessionId: string,
    secret: string,
    expiresAt: number,
  ): Promise<SignInResult> => {
    const access = await accessTokens.issue({ userId: user.id, sessionId, role: user.role })
    return {
      user,
      accessToken: access.token,
      accessTokenExpiresAt: access.expiresAt.toISOString(),
      refreshToken: formatRefreshToken({ userId: user.id, sessionId, secret }),
      refreshTokenExpiresAt: expiresAt,
    }
  }

  const end = async (userId: string): Promise<void> => {
    await gates.revokeAll(userId)
    await dependencies.endLiveSessions(userId)
  }

  /** Asks plex.tv who the claimed token belongs to and what it may see; only then does a session exist. */
  const signIn = async (pinId: number, accountToken: string): Promise<SignInResult> => {
    const account = await plexTv.account(accountToken)
    if (!account) throw new Problem('pin-expired')
    const membership = await plexTv.membership(accountToken)
    if (membership === 'token-refused') throw new Problem('pin-expired')
    if (membership === 'not-a-member') {
      await end(account.id)
      throw new Problem('not-a-member')
    }
    const role = roleOf(account.id, membership.owned)
    const [sessionId, secret, expiresAt] = [newId(), newSecret(), now() + refreshLifetimeMs]
    const session = { id: sessionId, refreshHash: await hash(secret), expiresAt }
    // Tokens first: a membership that is confirmed meanwhile must not be judged by the token this one replaced.
    const tokens = { accountToken, serverToken: membership.serverToken }
    await users.upsert({ ...account, role }, tokens, new Date(now()))
    if ((await gates.open(account.id, session, { role, pinId })) === 'pin-used')
      throw new Problem('pin-expired')
    return issue({ id: account.id, username: account.username, role }, sessionId, secret, expiresAt)
  }

  /**
   * Asks plex.tv whether the account still has access. Losing it ends every session. `renewed`: it has, and the server
   * token now kept is plex.tv's latest; one that differs starts a new cache scope. `unknown`: plex.tv cannot be asked.
   */
  const confirmMembership = async (
    userId: string,
  ): Promise<'renewed' | 'lost' | 'signed-out' | 'unknown'> => {
    const tokens = await users.tokens(userId)
    if (!tokens) return 'signed-out'
    const membership = await plexTv.membership(tokens.accountToken).catch((error: unknown) => {
      if (isProblem(error, 'plex-tv-unavailable')) return 'unknown' as const
      throw error
    })
    if (membership === 'unknown') return 'unknown'
    if (membership === 'token-refused') {
      const latest = await users.tokens(userId)
      // A sign-in that finished meanwhile has replaced the token, here and at plex.tv.
      if (latest && latest.accountToken !== tokens.accountToken) return confirmMembership(userId)
    }
    if (membership === 'token-refused' || membership === 'not-a-member') {
      await end(userId)
      log('info', 'membership-ended', { userId, reason: membership })
      return membership === 'not-a-member' ? 'lost' : 'signed-out'
    }
    await gates.confirm(userId, roleOf(userId, membership.owned))
    if (membership.serverToken !== tokens.serverToken) {
      await users.replaceServerToken(userId, membership.serverToken)
      await gates.newScope(userId)
    }
    return 'renewed'
  }

  const demandMembership = async (userId: string, confirmedAt: number): Promise<void> => {
    if (now() - confirmedAt <= confirmEveryMs) return
    const standing = await confirmMembership(userId)
    if (standing === 'renewed') return dependencies.confirmShare(userId)
    if (standing === 'lost') throw new Problem('not-a-member')
    if (standing === 'signed-out') throw new Problem('plex-sign-in-required')
    if (standing === 'unknown' && now() - confirmedAt > unconfirmedForMs) {
      throw new Problem('plex-tv-unavailable', { members: { retryAfter: 60 } })
    }
  }

  return {
    /** Spends one of an address's sign-in attempts, or of its questions whether one was approved. */
    spend: (kind: 'sign-in' | 'sign-in-poll', address: string) => dependencies.budget.take(kind, address),

    /** Starts a sign-in. The secret binds it to who asked: without it nobody can collect the session. */
    async startPin(forwardUrl: string | undefined) {
      const pin = await plexTv.createPin()
      const secret = await sealer.seal(String(pin.expiresAt.getTime()), `pin:${pin.id}`)
      return { pin, secret, authUrl: plexTv.authUrl(pin.code, forwardUrl) }
    },

    async pollPin(pinId: number, pinSecret: string | undefined): Promise<SignInResult | 'pending'> {
      const expiresAt = pinSecret && (await sealer.open(pinSecret, `pin:${pinId}`))
      if (!expiresAt) throw new Problem('not-found')
      if (now() > Number(expiresAt)) throw new Problem('pin-expired')
      const poll = await plexTv.pollPin(pinId)
      if (poll.state === 'expired') throw new Problem('pin-expired')
      if (poll.state === 'pending') return 'pending'
      return signIn(pinId, poll.token)
    },

    /** Exchanges a refresh token. Membership is read again here, so no access outlives it by more than a token's life. */
    async refresh(refreshToken: string | undefined): Promise<SignInResult> {
      const presented = refreshToken === undefined ? undefined : parseRefreshToken(refreshToken)
      if (!presented) throw new Problem('unauthenticated')
      const { userId, sessionId } = presented
      const presentedHash = await hash(presented.secret)
      const session = await gates.check(userId, sessionId, presentedHash)
      if (session) await demandMembership(userId, session.confirmedAt)
      const [secret, expiresAt] = [newSecret(), now() + refreshLifetimeMs]
      const next = { id: sessionId, presentedHash, nextHash: await hash(secret), expiresAt }
      const account = session && (await gates.rotate(userId, next))
      if (!account) {
        await dependencies.endLiveSessions(userId, sessionId)
        throw new Problem('session-revoked')
      }
      const user = await users.find(userId)
      if (!user) throw new Problem('session-revoked')
      return issue({ id: user.id, username: user.username, role: account.role }, sessionId, secret, expiresAt)
    },

    async signOut({ userId, sessionId }: Claims, everywhere: boolean): Promise<void> {
      if (everywhere) return end(userId)
      await gates.revoke(userId, sessionId)
      await dependencies.endLiveSessions(userId, sessionId)
    },

    async currentUser(userId: string): Promise<User> {
      const user = await users.find(userId)
      if (!user) throw new Problem('session-revoked')
      return user
    },

    confirmMembership,
  }
}
