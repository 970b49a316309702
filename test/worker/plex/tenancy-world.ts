import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import * as z from 'zod'

import { askUnder } from '../support/app.ts'
import { ask, expectData, signIn, SignedIn, type Session } from '../support/client.ts'
import { clearFaults, control } from '../support/world.ts'
import { plexBreaker, read } from './support.ts'

export type Friend = 'frank' | 'fatima' | 'sam'
export const friends: readonly Friend[] = ['frank', 'fatima', 'sam']
export type Person = Friend | 'olivia'

/** The shares that plex.tv starts with. */
const firstShares = { frank: ['1', '3'], fatima: ['2', '3'] } as const

/** What there is on the server, and in which section. */
export type Known = {
  readonly sectionOf: ReadonlyMap<string, string>
  readonly collections: readonly string[]
  /** Titles that are in one section alone, and long enough that no other text holds them by chance. */
  readonly tellingTitles: readonly { readonly title: string; readonly section: string }[]
}

const Rows = z.object({
  data: z.array(z.object({ ratingKey: z.string(), title: z.string(), type: z.string().optional() })),
})

/** Reads, as the owner, all that there is. */
export async function learn(olivia: Session, sections: readonly string[]): Promise<Known> {
  const sectionOf = new Map<string, string>()
  const sectionsByTitle = new Map<string, Set<string>>()
  const collections: string[] = []
  const note = async (path: string, section: string): Promise<void> => {
    for (const { ratingKey, title, type } of (await expectData(await read(path, olivia), 200, Rows)).data) {
      sectionOf.set(ratingKey, section)
      sectionsByTitle.set(title, (sectionsByTitle.get(title) ?? new Set()).add(section))
      if (path.includes('/collections')) collections.push(ratingKey)
      if (type === 'show' || type === 'season') await note(`/items/${ratingKey}/children?limit=100`, section)
    }
  }
  for (const section of sections) {
    await note(`/libraries/${section}/items?limit=100`, section)
    await note(`/libraries/${section}/collections?limit=100`, section)
  }
  const tellingTitles = [...sectionsByTitle].flatMap(([title, [section, ...more]]) =>
    section !== undefined && more.length === 0 && title.length >= 8 && !/^(Episode|Season)/.test(title)
      ? [{ title, section }]
      : [],
  )
  return { sectionOf, collections, tellingTitles }
}

/** Everybody, signed in, each behind isolates of their own making. */
export async function createCast() {
  for (const friend of friends) await share(friend, ['1'])
  const sessions: Record<Person, Session> = {
    olivia: await signIn('olivia'),
    frank: await signIn('frank'),
    fatima: await signIn('fatima'),
    sam: await signIn('sam'),
  }
  const shares: Record<Person, readonly string[]> = {
    olivia: ['1', '2', '3'],
    frank: ['1'],
    fatima: ['1'],
    sam: ['1'],
  }

  return {
    sessions,
    shares,
    /** Changes a share at plex.tv; the next renewal of the sign-in learns of it, as it does each quarter of an hour. */
    async reshare(friend: Friend, sections: readonly string[]): Promise<void> {
      await share(friend, sections)
      const { user, refreshToken } = sessions[friend]
      await env.USER_GATE.getByName(user.id).confirm('user', Date.now() - 6 * 60_000)
      const response = await ask('POST', '/api/auth/refresh', { json: { refreshToken } })
      sessions[friend] = (await expectData(response, 200, SignedIn)).data
      shares[friend] = sections
    },
  }
}
export type Cast = Awaited<ReturnType<typeof createCast>>

const share = (username: Friend, sections: readonly string[]) =>
  control('plexTvUrl', 'grant', { username, sections })

export async function restoreShares(): Promise<void> {
  for (const [username, sections] of Object.entries(firstShares))
    await control('plexTvUrl', 'grant', { username, sections })
  await control('plexTvUrl', 'revoke', { username: 'sam' })
}

const settings = { PLEX_REQUESTS_PER_15_MINUTES: '100000' }

/** Isolates as they are when they have just started: one that looks into KV each time, one that remembers. */
export const startIsolates = () => [
  askUnder({ ...settings, ANSWER_MEMORY_MS: '0' }),
  askUnder({ ...settings, ANSWER_MEMORY_MS: '5000' }),
]

/** Plex is well, and nobody remembers that it was not. */
export async function heal() {
  await clearFaults()
  await runInDurableObject(plexBreaker(), (_breaker, state) => state.storage.deleteAll())
  return startIsolates()
}

const keys = new Set(['ratingKey', 'parentRatingKey', 'grandparentRatingKey'])

/** Fails if an answer tells its reader of anything outside of their share. */
export function expectOwnOnly(text: string, person: Person, { shares, sessions }: Cast, known: Known): void {
  const own = shares[person]
  const tell = (what: string) => `${person}, who is shown ${own.join()}: ${what}`
  const visit = (value: unknown, name: string): void => {
    if (Array.isArray(value)) return value.forEach((each) => visit(each, name))
    if (typeof value === 'object' && value !== null)
      return Object.entries(value).forEach(([key, member]) => visit(member, key))
    if (typeof value !== 'string') return
    if (keys.has(name)) expect(own, tell(`${name} ${value}`)).toContain(known.sectionOf.get(value))
    if (name === 'libraryKey' || name === 'libraryKeys') expect(own, tell(name)).toContain(value)
    const [, scope, key] =
      /^\/api\/plex\/images\/([^/]+)\/.*\/(?:metadata|collections)\/(\d+)\//.exec(value) ?? []
    if (key === undefined) return
    expect(own, tell(value)).toContain(known.sectionOf.get(key))
    expect(scope).toMatch(new RegExp(`^${sessions[person].user.id}\\.`))
  }
  visit(JSON.parse(text), '')
  for (const { title, section } of known.tellingTitles)
    if (!own.includes(section)) expect(text, tell(title)).not.toContain(JSON.stringify(title))
  if (person !== 'olivia') expect(text).not.toContain('/media/')
}

/** Addresses of pictures in an answer, at the smallest size. */
export const picturesIn = (text: string): readonly string[] =>
  [...text.matchAll(/"(\/api\/plex\/images\/[^"]+)"/g)].map(([, address = '']) => address)
