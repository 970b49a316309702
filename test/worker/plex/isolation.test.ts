import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'

import { signIn, type Session } from '../support/client.ts'
import { clearFaults, control, fault } from '../support/world.ts'
import { age, plexServer, read, readItems, restoreAllowance, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')
const users = { olivia, frank, fatima } as const
type User = keyof typeof users

/** Sections shared with each, as plex.tv has it. */
const shares: Record<User, readonly string[]> = {
  olivia: ['1', '2', '3'],
  frank: ['1', '3'],
  fatima: ['2', '3'],
}

let videoKey = ''
const sectionOf = new Map<string, string>()
const titleOf = new Map<string, string>()

async function learn(path: string, section: string): Promise<void> {
  const { data } = await readItems(path, olivia)
  for (const item of data) {
    sectionOf.set(item.ratingKey, section)
    titleOf.set(item.ratingKey, item.title)
    if (item.type === 'show' || item.type === 'season') {
      await learn(`/items/${item.ratingKey}/children?limit=100`, section)
    }
  }
}

beforeAll(async () => {
  await startOver()
  const video = { title: 'A Video of the Third Library', sectionKey: '3' }
  const added = await control('plexUrl', 'add-movie', video)
  videoKey = z.object({ ratingKey: z.string() }).parse(added).ratingKey
  for (const section of shares.olivia) await learn(`/libraries/${section}/items?limit=100`, section)
  await startOver()
})
afterAll(async () => {
  await control('plexUrl', 'remove-item', { ratingKey: videoKey })
  await startOver()
})

/** Titles that are in one section alone, and long enough that no other text holds them by chance. */
const tellingTitles = () =>
  [...titleOf].flatMap(([ratingKey, title]) => {
    const sections = new Set(
      [...titleOf].flatMap(([key, other]) => (other === title ? [sectionOf.get(key)] : [])),
    )
    return title.length >= 8 && !/^(Episode|Season)/.test(title) && sections.size === 1
      ? [{ title, section: sectionOf.get(ratingKey) }]
      : []
  })

const path = fc.oneof(
  fc.constantFrom('/libraries', '/recently-added?limit=100', '/server'),
  fc.constantFrom('1', '2', '3').map((key) => `/libraries/${key}/items?limit=100`),
  fc
    .constantFrom('metropolis', 'the', 'season', 'st', '1899', 'episode')
    .map((query) => `/search?query=${query}&limit=50`),
  fc.nat(200).map((n) => `/items/${keyAt(n)}`),
  fc.nat(200).map((n) => `/items/${keyAt(n)}/children?limit=100`),
)
const keyAt = (n: number) => [...sectionOf.keys()][n % sectionOf.size] ?? '1'

type Step =
  | { readonly kind: 'read'; readonly user: User; readonly path: string }
  | { readonly kind: 'age'; readonly ms: number }
  | { readonly kind: 'down' | 'up' | 'changed' }
const user = fc.constantFrom<User[]>('olivia', 'frank', 'fatima')
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('read' as const), user, path }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(10, 40, 120).map((m) => ({ kind: 'age' as const, ms: m * 60_000 })),
  },
  { weight: 1, arbitrary: fc.constantFrom('down', 'up', 'changed').map((kind) => ({ kind })) },
)

const Keyed = z.looseObject({ ratingKey: z.string().optional(), key: z.string().optional() })

async function expectOwnOnly(name: User, session: Session, asked: string): Promise<string> {
  const response = await read(asked, session)
  const text = await response.text()
  expect([200, 404, 502, 503], text).toContain(response.status)
  if (response.status !== 200) return `${response.status}`
  const { data } = z.object({ data: z.union([z.array(Keyed), Keyed]) }).parse(JSON.parse(text))
  for (const { ratingKey, key } of Array.isArray(data) ? data : [data]) {
    const section = ratingKey === undefined ? key : sectionOf.get(ratingKey)
    if (section !== undefined) expect(shares[name], `${name} ${asked} ${ratingKey ?? ''}`).toContain(section)
  }
  for (const { title, section } of tellingTitles()) {
    if (!shares[name].includes(section ?? ''))
      expect(text, `${name} ${asked}`).not.toContain(JSON.stringify(title))
  }
  if (name !== 'olivia') expect(text).not.toContain('/media/')
  return response.headers.get('x-cache') ?? ''
}

test('whoever asks for what in whatever order, nobody sees a key or title of what is not shared with them', async () => {
  expect(new Set(sectionOf.values()).size).toBe(3)
  expect(tellingTitles().length).toBeGreaterThan(20)
  const states = new Map<string, number>()
  let runs = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 6, maxLength: 24 }), async (steps) => {
      if (runs++ % 4 === 0) await Promise.all(Object.values(users).map(restoreAllowance))
      for (const one of steps) {
        if (one.kind === 'read') {
          const state = await expectOwnOnly(one.user, users[one.user], one.path)
          states.set(state, (states.get(state) ?? 0) + 1)
        } else if (one.kind === 'age') await age(one.ms)
        // One that is no failure of Plex, so that the circuit stays closed and every path is taken.
        else if (one.kind === 'down') await fault('plexUrl', { kind: 'html' })
        else if (one.kind === 'up') await clearFaults()
        else await plexServer().changed('3')
      }
      await clearFaults()
    }),
    { numRuns: 12, seed: 20_261_122, endOnFailure: true },
  )
  for (const state of ['MISS', 'HIT', 'STALE', '404', '502'])
    expect(states.get(state), state).toBeGreaterThan(0)
})

test('three who ask the same at the same time each get their own', async () => {
  await startOver()
  await Promise.all(Object.values(users).map(restoreAllowance))
  for (const asked of ['/recently-added?limit=100', '/search?query=the&limit=50', '/libraries']) {
    const names = ['olivia', 'frank', 'fatima', 'frank', 'olivia', 'fatima'] as const
    await Promise.all(names.map((name) => expectOwnOnly(name, users[name], asked)))
  }
})
