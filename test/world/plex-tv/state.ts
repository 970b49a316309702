import * as z from 'zod'

export const ServerShare = z.strictObject({
  owner: z.boolean(),
  sections: z.array(z.string()),
  /** What the Plex server accepts of this person; never their account's token. */
  token: z.string(),
})
export type ServerShare = z.output<typeof ServerShare>

export const Account = z.strictObject({
  id: z.int(),
  uuid: z.string(),
  username: z.string(),
  title: z.string(),
  email: z.string(),
  share: ServerShare.optional(),
})
export type Account = z.output<typeof Account>

export const Pin = z.strictObject({
  id: z.int(),
  code: z.string(),
  strong: z.boolean(),
  clientIdentifier: z.string(),
  product: z.string(),
  createdAt: z.int(),
  expiresAt: z.int(),
  authToken: z.string().optional(),
})
export type Pin = z.output<typeof Pin>

/** All that the stand-in remembers, as plain JSON, so that tokens outlive a restart. */
export const PlexTvState = z.strictObject({
  accounts: z.array(Account),
  tokens: z.array(z.strictObject({ token: z.string(), username: z.string(), clientIdentifier: z.string() })),
  pins: z.array(Pin),
  nextPinId: z.int(),
})
export type PlexTvState = z.output<typeof PlexTvState>

/** Letters and digits, `length` of them. */
export type MakeSecret = (length: number) => string

/** An owner of the server, two friends who see different libraries, and a stranger who sees nothing. */
export function firstState(makeSecret: MakeSecret): PlexTvState {
  const share = (owner: boolean, ...sections: string[]): ServerShare => ({
    owner,
    sections,
    token: makeSecret(20),
  })
  const person = (id: number, username: string, title: string): Account => ({
    id,
    uuid: `${id.toString(16).padStart(8, '0')}${'5e1f'.repeat(2)}`,
    username,
    title,
    email: `${username}@example.org`,
  })
  return {
    accounts: [
      { ...person(10_000_001, 'olivia', 'Olivia Owner'), share: share(true, '1', '2', '3') },
      { ...person(10_000_002, 'frank', 'Frank “Popcorn” O’Neill 🍿'), share: share(false, '1', '3') },
      { ...person(10_000_003, 'fatima', 'Fatima'), share: share(false, '2', '3') },
      person(10_000_004, 'sam', 'Sam Stranger'),
    ],
    tokens: [],
    pins: [],
    nextPinId: 2_000_000_001,
  }
}
