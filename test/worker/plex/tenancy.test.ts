import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'

import { routes } from '../support/operations.ts'
import { control, fault } from '../support/world.ts'
import { age, plexServer, startOver } from './support.ts'
import {
  createCast,
  expectOwnOnly,
  friends,
  heal,
  learn,
  picturesIn,
  restoreShares,
  startIsolates,
  type Friend,
  type Known,
  type Person,
} from './tenancy-world.ts'

const cast = await createCast()
const sections = ['1', '2', '3']
let known: Known
let videoKey = ''

beforeAll(async () => {
  await startOver()
  const video = { title: 'A Video of the Third Library', sectionKey: '3' }
  const added = await control('plexUrl', 'add-movie', video)
  videoKey = z.object({ ratingKey: z.string() }).parse(added).ratingKey
  known = await learn(cast.sessions.olivia, sections)
  const playing = sections.flatMap((section) => {
    const [ratingKey = ''] = [...known.sectionOf].find(([, where]) => where === section) ?? []
    return friends.map((friend) => ({
      ratingKey,
      user: { id: cast.sessions[friend].user.id, title: friend },
    }))
  })
  await control('plexUrl', 'sessions', { sessions: playing })
  await startOver()
})
afterAll(async () => {
  await control('plexUrl', 'remove-item', { ratingKey: videoKey })
  await control('plexUrl', 'sessions', { sessions: [] })
  await restoreShares()
  await startOver()
})

/** Every read there is, asked in every way that could tell something; `n` chooses an item. */
const reads: Readonly<Record<string, (n: number) => readonly string[]>> = {
  readServer: () => ['/server'],
  listLibraries: () => ['/libraries'],
  listItems: () =>
    sections.flatMap((key) => [
      `/libraries/${key}/items?limit=100`,
      `/libraries/${key}/items?sort=addedAt:desc&limit=5`,
    ]),
  readItem: (n) => [`/items/${itemAt(n)}`],
  listChildren: (n) => [`/items/${itemAt(n)}/children?limit=100`],
  listRelated: (n) => [`/items/${itemAt(n)}/related`],
  listOnDeck: () => ['/on-deck'],
  listSessions: () => ['/sessions'],
  search: () =>
    ['metropolis', 'the', 'season', 'st', '1899', 'episode', 'video'].map(
      (q) => `/search?query=${q}&limit=50`,
    ),
  listRecentlyAdded: () => [
    '/recently-added?limit=100',
    ...sections.map((key) => `/recently-added?library=${key}`),
  ],
  listCollections: () => sections.map((key) => `/libraries/${key}/collections`),
  readCollection: (n) => [`/collections/${collectionAt(n)}`],
  listCollectionItems: (n) => [`/collections/${collectionAt(n)}/items?limit=100`],
}
const itemAt = (n: number) => [...known.sectionOf.keys()][n % known.sectionOf.size] ?? '1'
const collectionAt = (n: number) => known.collections[n % known.collections.length] ?? '1'

/** These show no content of a library, are for admins alone, or have an address for a credential. */
const elsewhere = new Set(['readPlexHealth', 'listScans', 'readScan', 'showImage'])

test('there is no read of Plex that is not tried below', () => {
  const all = routes.flatMap(({ base, method, id }) => (base === '/plex' && method === 'get' ? [id] : []))
  expect(all.filter((id) => !elsewhere.has(id)).toSorted()).toEqual(Object.keys(reads).toSorted())
})

type Step =
  | {
      readonly kind: 'read'
      readonly person: Person
      readonly id: string
      readonly n: number
      readonly isolate: number
    }
  | { readonly kind: 'age'; readonly ms: number }
  | { readonly kind: 'share'; readonly friend: Friend; readonly sections: readonly string[] }
  | { readonly kind: 'invalid' | 'away' | 'heal' | 'new isolates' | 'changed' }

const share = fc.subarray(sections, { minLength: 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 14,
    arbitrary: fc.record({
      kind: fc.constant('read' as const),
      person: fc.constantFrom<Person[]>('frank', 'fatima', 'sam', 'frank', 'fatima', 'sam', 'olivia'),
      id: fc.constantFrom(...Object.keys(reads)),
      n: fc.nat(10_000),
      isolate: fc.nat(1),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(10, 40, 120).map((m) => ({ kind: 'age' as const, ms: m * 60_000 })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('share' as const),
      friend: fc.constantFrom(...friends),
      sections: share,
    }),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom(
        'invalid' as const,
        'away' as const,
        'heal' as const,
        'new isolates' as const,
        'changed' as const,
      )
      .map((kind) => ({ kind })),
  },
)
const givenShares = fc.tuple(share, share, share)

/** How often each outcome was met, so that what is proven is not proven of nothing. */
const met = new Map<string, number>()
const meet = (what: string) => met.set(what, (met.get(what) ?? 0) + 1)

/** One run: who holds which pictures, and isolates that come and go. */
function createRun() {
  let isolates = startIsolates()
  const pictures = new Map<Person, readonly string[]>()

  const readOne = async ({ person, id, n, isolate }: Extract<Step, { kind: 'read' }>) => {
    const paths = reads[id]?.(n) ?? []
    const path = paths[n % paths.length] ?? ''
    const token = cast.sessions[person].accessToken
    const response = await isolates[isolate]?.('GET', `/api/plex${path}`, { token })
    if (!response) throw new Error('no such isolate')
    const text = await response.text()
    expect([200, 404, 502, 503], text).toContain(response.status)
    meet(response.status === 200 ? (response.headers.get('x-cache') ?? '') : String(response.status))
    // A problem tells nothing at all.
    for (const { title } of response.status === 200 ? [] : known.tellingTitles)
      expect(text).not.toContain(JSON.stringify(title))
    if (response.status !== 200) return
    expectOwnOnly(text, person, cast, known)
    if (picturesIn(text).length > 0) pictures.set(person, picturesIn(text))
  }

  const reshare = async (friend: Friend, to: readonly string[]) => {
    isolates = await heal()
    const isSame = to.join() === cast.shares[friend].join()
    const [held] = pictures.get(friend) ?? []
    await cast.reshare(friend, to)
    if (isSame || held === undefined) return
    meet('picture')
    expect((await isolates[0]?.('GET', held))?.status, 'an address of before').toBe(404)
    pictures.delete(friend)
  }

  return async (one: Step): Promise<void> => {
    if (one.kind === 'read') return readOne(one)
    if (one.kind === 'share') return reshare(one.friend, one.sections)
    if (one.kind === 'age') return age(one.ms)
    if (one.kind === 'changed') return void (await plexServer().changed('3'))
    if (one.kind === 'invalid') return void (await fault('plexUrl', { kind: 'html' }))
    // Enough of these and the circuit opens.
    if (one.kind === 'away') return void (await fault('plexUrl', { kind: 'status', status: 500 }))
    isolates = one.kind === 'heal' ? await heal() : startIsolates()
  }
}

test('whoever is shown what, asks for what and in whatever order, nobody sees a key, title or picture of the rest', async () => {
  expect(new Set(known.sectionOf.values()).size).toBe(3)
  expect(known.tellingTitles.length).toBeGreaterThan(20)
  await fc.assert(
    fc.asyncProperty(givenShares, fc.array(step, { minLength: 10, maxLength: 40 }), async (given, steps) => {
      const take = createRun()
      for (const [index, friend] of friends.entries())
        await take({ kind: 'share', friend, sections: given[index] ?? [] })
      for (const one of steps) await take(one)
      await heal()
    }),
    { numRuns: 20, seed: 20_261_122, endOnFailure: true },
  )
  for (const outcome of ['MISS', 'HIT', 'STALE', '404', '502', '503', 'picture'])
    expect(met.get(outcome), outcome).toBeGreaterThan(0)
}, 60_000)

test('three who ask the same at the same time each get their own', async () => {
  await startOver()
  const [one, other] = startIsolates()
  for (const path of ['/recently-added?limit=100', '/search?query=the&limit=50', '/libraries', '/on-deck']) {
    const people = ['olivia', 'frank', 'fatima', 'sam', 'sam', 'frank', 'olivia', 'fatima'] as const
    const answers = await Promise.all(
      people.map(async (person, index) => {
        const through = index % 2 === 0 ? one : other
        const response = await through?.('GET', `/api/plex${path}`, {
          token: cast.sessions[person].accessToken,
        })
        return { person, text: (await response?.text()) ?? '' }
      }),
    )
    for (const { person, text } of answers) expectOwnOnly(text, person, cast, known)
  }
})
