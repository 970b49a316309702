import { Problem } from '#contract/problem.ts'

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
  const { plexTv, users, gates, accessTokens, budget, sealer, now, newId, newSecret, hash } = dependencies

  const charge = async (kind: 'sign-in' | 'sign-in-poll', address: string) => {
    const refused = await budget.take(kind, address)
    if (refused) throw new Problem('rate-limited', { members: refused })
  }

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

  /** Asks plex.tv who the claimed token belongs to and what it may see; only then does a session exist. */
  const signIn = async (pinId: number, accountToken: string): Promise<SignInResult> => {
    const account = await plexTv.account(accountToken)
    if (!account) throw new Problem('pin-expired')
    const membership = await plexTv.membership(accountToken)
    if (membership === 'token-refused') throw new Problem('pin-expired')
    if (membership === 'not-a-member') {
      await gates.revokeAll(account.id)
      throw new Problem('not-a-member')
    }
    const role = roleOf(account.id, membership.owned)
    const [sessionId, secret, expiresAt] = [newId(), newSecret(), now() + refreshLifetimeMs]
    const session = { id: sessionId, refreshHash: await hash(secret), expiresAt }
    if ((await gates.open(account.id, session, { role, pinId })) === 'pin-used')
      throw new Problem('pin-expired')
    const tokens = { accountToken, serverToken: membership.serverToken }
    await users.upsert({ ...account, role }, tokens, new Date(now()))
    return issue({ id: account.id, username: account.username, role }, sessionId, secret, expiresAt)
  }

  const end = async (userId: string): Promise<void> => {
    await gates.revokeAll(userId)
    await dependencies.endLiveSessions(userId)
  }

  /**
   * Asks plex.tv whether the account still has access. Losing it ends every session; a new server token is kept and
   * starts a new cache scope. `unknown` when plex.tv cannot be asked.
   */
  const confirmMembership = async (
    userId: string,
  ): Promise<'member' | 'renewed' | 'lost' | 'signed-out' | 'unknown'> => {
    const [user, tokens] = await Promise.all([users.find(userId), users.tokens(userId)])
    if (!user || !tokens) return 'signed-out'
    const membership = await plexTv.membership(tokens.accountToken).catch(() => undefined)
    if (membership === undefined) return 'unknown'
    if (membership === 'token-refused' || membership === 'not-a-member') {
      await end(userId)
      dependencies.log('info', 'membership-ended', { userId, reason: membership })
      return membership === 'not-a-member' ? 'lost' : 'signed-out'
    }
    await gates.confirm(userId, roleOf(user.id, membership.owned))
    if (membership.serverToken === tokens.serverToken) return 'member'
    await users.replaceServerToken(userId, membership.serverToken)
    await gates.newScope(userId)
    return 'renewed'
  }

  const demandMembership = async (userId: string, confirmedAt: number): Promise<void> => {
    if (now() - confirmedAt <= confirmEveryMs) return
    const standing = await confirmMembership(userId)
    if (standing === 'lost') throw new Problem('not-a-member')
    if (standing === 'signed-out') throw new Problem('plex-sign-in-required')
    if (standing === 'unknown' && now() - confirmedAt > unconfirmedForMs) {
      throw new Problem('plex-tv-unavailable', { members: { retryAfter: 60 } })
    }
  }

  return {
    /** Starts a sign-in. The secret binds it to who asked: without it nobody can collect the session. */
    async startPin(address: string, forwardUrl: string | undefined) {
      await charge('sign-in', address)
      const pin = await plexTv.createPin()
      const secret = await sealer.seal(
        JSON.stringify({ expiresAt: pin.expiresAt.getTime() }),
        `pin:${pin.id}`,
      )
      return { pin, secret, authUrl: plexTv.authUrl(pin.code, forwardUrl) }
    },

    async pollPin(
      pinId: number,
      pinSecret: string | undefined,
      address: string,
    ): Promise<SignInResult | 'pending'> {
      await charge('sign-in-poll', address)
      const sealed = pinSecret && (await sealer.open(pinSecret, `pin:${pinId}`))
      if (!sealed) throw new Problem('not-found')
      const { expiresAt } = JSON.parse(sealed) as { expiresAt: number }
      if (now() > expiresAt) throw new Problem('pin-expired')
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
