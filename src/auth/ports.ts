import type { Allowance, Claims, Role } from '../http/env.ts'

export type AccessTokens = {
  issue(claims: Claims): Promise<{ readonly token: string; readonly expiresAt: Date }>
  /** Throws `token-expired` or `unauthenticated`. */
  verify(token: string): Promise<Claims>
}

export type Pin = { readonly id: number; readonly code: string; readonly expiresAt: Date }

export type PlexAccount = {
  /** plex.tv account id, as text. */
  readonly id: string
  readonly username: string
  readonly email?: string
  readonly thumb?: string
}

/** What plex.tv says of an account's access to our server: the token that server accepts from it. */
export type Membership = { readonly owned: boolean; readonly serverToken: string }

/** plex.tv, api v2. Throws `plex-tv-unavailable`; `undefined` is an answer, not a failure. */
export type PlexTv = {
  createPin(): Promise<Pin>
  /** The account token once the PIN was claimed. */
  pollPin(
    id: number,
  ): Promise<
    | { readonly state: 'pending' }
    | { readonly state: 'expired' }
    | { readonly state: 'claimed'; readonly token: string }
  >
  /** `undefined` when the token is no longer good. */
  account(token: string): Promise<PlexAccount | undefined>
  membership(token: string): Promise<Membership | 'token-refused' | 'not-a-member'>
  /** Where a person claims the PIN. */
  authUrl(code: string, forwardUrl: string | undefined): string
}

export type User = PlexAccount & { readonly role: Role }

export type UserTokens = { readonly accountToken: string; readonly serverToken: string }

export type UserStore = {
  upsert(user: User, tokens: UserTokens, at: Date): Promise<void>
  find(userId: string): Promise<User | undefined>
  tokens(userId: string): Promise<UserTokens | undefined>
  replaceServerToken(userId: string, serverToken: string): Promise<void>
}

/** The gate of each user: sessions and what plex.tv last confirmed. */
export type Gates = {
  open(
    userId: string,
    session: { readonly id: string; readonly refreshHash: string; readonly expiresAt: number },
    account: { readonly role: Role; readonly pinId: number },
  ): Promise<'opened' | 'pin-used'>
  /** Whether this is the session's live refresh token. One that was exchanged before ends the session. */
  check(
    userId: string,
    sessionId: string,
    refreshHash: string,
  ): Promise<{ readonly confirmedAt: number } | undefined>
  rotate(
    userId: string,
    session: {
      readonly id: string
      readonly presentedHash: string
      readonly nextHash: string
      readonly expiresAt: number
    },
  ): Promise<{ readonly role: Role } | undefined>
  confirm(userId: string, role: Role): Promise<void>
  newScope(userId: string): Promise<void>
  revoke(userId: string, sessionId: string): Promise<void>
  revokeAll(userId: string): Promise<void>
}

/** Budgets by address. */
export type SignInBudget = {
  /** `retryAfter` is there when nothing was left: the seconds to wait. */
  take(
    kind: 'sign-in' | 'sign-in-poll',
    address: string,
  ): Promise<{ readonly allowance: Allowance; readonly retryAfter?: number }>
}

export type Sealer = {
  seal(plaintext: string, subject: string): Promise<string>
  open(sealed: string, subject: string): Promise<string | undefined>
}
