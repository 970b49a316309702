import type { Account, MakeSecret, Pin, PlexTvState } from './state.ts'

/** One token a Plex server accepts, and what it may see. */
export type PlexAccess = {
  readonly token: string
  readonly owner: boolean
  readonly sections: readonly string[]
}

export type NewPin = { readonly clientIdentifier: string; readonly product: string; readonly strong: boolean }

export type DirectoryOptions = {
  readonly state: PlexTvState
  readonly now: () => number
  readonly makeSecret: MakeSecret
  readonly onChange: () => void
}

const strongPinMs = 30 * 60_000
const weakPinMs = 15 * 60_000

/** The accounts, PINs and tokens of plex.tv, and their rules. */
export type Directory = ReturnType<typeof createDirectory>

export function createDirectory({ state, now, makeSecret, onChange }: DirectoryOptions) {
  const account = (username: string): Account => {
    const found = state.accounts.find((entry) => entry.username === username)
    if (!found) throw new Error(`no account ${username}`)
    return found
  }

  const livePin = (matches: (pin: Pin) => boolean): Pin | undefined => {
    state.pins = state.pins.filter(({ expiresAt }) => expiresAt > now())
    return state.pins.find(matches)
  }

  /** A new sign-in of the same account from the same client replaces the token of the one before. */
  const issueToken = (username: string, clientIdentifier: string): string => {
    account(username)
    const token = makeSecret(20)
    const others = state.tokens.filter(
      (entry) => entry.username !== username || entry.clientIdentifier !== clientIdentifier,
    )
    state.tokens = [...others, { token, username, clientIdentifier }]
    onChange()
    return token
  }

  const createPin = ({ clientIdentifier, product, strong }: NewPin): Pin => {
    const createdAt = now()
    const pin: Pin = {
      id: state.nextPinId,
      code: strong ? makeSecret(25).toLowerCase() : makeSecret(4).toUpperCase(),
      strong,
      clientIdentifier,
      product,
      createdAt,
      expiresAt: createdAt + (strong ? strongPinMs : weakPinMs),
    }
    state.nextPinId += 1
    state.pins.push(pin)
    onChange()
    return pin
  }

  /** False when no live PIN has that code. */
  const claim = (code: string, username: string): boolean => {
    const pin = livePin((entry) => entry.code === code)
    if (!pin) return false
    pin.authToken = issueToken(username, pin.clientIdentifier)
    onChange()
    return true
  }

  const signOut = (token: string): void => {
    state.tokens = state.tokens.filter((entry) => entry.token !== token)
    onChange()
  }

  return {
    account,
    livePin,
    issueToken,
    createPin,
    claim,
    signOut,
    accountOf: (token: string): Account | undefined => {
      const found = state.tokens.find((entry) => entry.token === token)
      return found && account(found.username)
    },
    ...sharing({ state, now, makeSecret, onChange }, account),
  }
}

function sharing({ state, makeSecret, onChange }: DirectoryOptions, account: (username: string) => Account) {
  return {
    /** Shares these sections with someone. A person who had no access gets a new server token. */
    grant: (username: string, sections: readonly string[]): void => {
      const person = account(username)
      const { owner, token } = person.share ?? { owner: false, token: makeSecret(20) }
      person.share = { owner, token, sections: [...sections] }
      onChange()
    },
    /** Takes the server away from someone; their account stays signed in. */
    revoke: (username: string): void => {
      delete account(username).share
      onChange()
    },
    /** The old server token stops working; the new one is found in the resources. */
    rotateServerToken: (username: string): void => {
      const { share } = account(username)
      if (share) share.token = makeSecret(20)
      onChange()
    },
    /** Signs someone out everywhere, as a changed password does. */
    revokeTokens: (username: string): void => {
      account(username)
      state.tokens = state.tokens.filter((entry) => entry.username !== username)
      onChange()
    },
    /** An owner's account token opens their own server; a friend's account token opens none. */
    plexAccess: (): PlexAccess[] =>
      state.accounts.flatMap(({ username, share }) => {
        if (!share) return []
        const { owner, sections } = share
        const accountTokens = owner ? state.tokens.filter((entry) => entry.username === username) : []
        return [share, ...accountTokens].map(({ token }) => ({ token, owner, sections: [...sections] }))
      }),
  }
}
