import { env } from 'cloudflare:workers'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as z from 'zod'

import type { ToDownloader } from '#contract/downloader-link.ts'

import { buildServices } from '../../../src/services.ts'
import { PlaylistBody } from '../../../src/youtube/asking-schema.ts'
import { DownloadsBody } from '../../../src/youtube/history-schema.ts'
import { examples } from '../access/examples.ts'
import { askedOfPlex } from '../plex/support.ts'
import { expectData } from '../support/client.ts'
import { exampleWith, forAll, placeOf, sender, shapeOfCall, slotsOf } from '../support/hostile.ts'
import { requestFor, routes } from '../support/operations.ts'
import { member } from '../support/sessions.ts'
import { control } from '../support/world.ts'
import { friendOf, newItem, place } from './asking-support.ts'
import {
  addressesWith,
  ask,
  attend,
  canonical,
  expectNoHarm,
  expectRefused,
  isHeader,
  refusalOf,
  texts,
} from './hostile-support.ts'
import { store } from './stored.ts'
import {
  clearQueue,
  connect,
  DownloadBody,
  newFriend,
  newVideo,
  silencePlex,
  type Friend,
} from './support.ts'

const admin = await friendOf(await member('olivia'))
const send = sender(ask, admin.token)
/** A video that Plex shows. */
const placed = newVideo()
let heard: readonly ToDownloader[] = []

beforeAll(async () => {
  await silencePlex()
  const downloader = await connect({ slots: 32 })
  await place(await newFriend(), { url: placed }, await newItem(), downloader)
  heard = attend(downloader, placed)
})
afterAll(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const operations = routes.filter(({ base }) => base === '/youtube')

/** Places that take text as people write it; everywhere else hostile text is refused. */
const takesText = new Set([
  'readVideoMetadata query url',
  'validateDownload json url',
  'requestDownload header Idempotency-Key',
  'requestDownload json url',
  'requestPlaylist header Idempotency-Key',
  'requestPlaylist json url',
  'requestPlaylist json collection',
  'listDownloads query q',
])

const cases = operations.flatMap((route) =>
  [...Map.groupBy(slotsOf(route), ({ target }) => target)].map(([target, slots]) => ({
    route,
    id: route.id,
    target,
    slots,
    strict: slots.filter((slot) => !takesText.has(placeOf(route, slot))),
  })),
)

test('there is something to try, and what is said to take text is there', () => {
  expect(cases.flatMap(({ strict }) => strict).length).toBeGreaterThan(40)
  const places = new Set(cases.flatMap(({ route, slots }) => slots.map((slot) => placeOf(route, slot))))
  expect([...takesText].filter((place) => !places.has(place))).toEqual([])
})

test.for(cases.filter(({ strict }) => strict.length > 0))(
  '$id $target: nothing hostile is taken',
  async ({ route, strict }) => {
    const example = examples[route.id] ?? {}
    // An address without that part is another one.
    const some = strict[0]?.target === 'param' ? texts.filter((text) => text !== '') : texts
    await forAll(some, async (text) => {
      await expectRefused(await send(route, exampleWith(example, strict, text)), strict, text)
    })
  },
)

const bodies = cases.filter(({ target }) => target === 'json')
const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)])

test.for(bodies)('$id: nothing of another type is taken', async ({ route, slots }) => {
  const tops = slots.map((slot) => ({ ...slot, path: slot.path.slice(0, 1), isList: false }))
  const example = examples[route.id] ?? {}
  const values = [null, -1, 2 ** 53, 1e308, {}, [], { length: 1 }, nested(1_000)]
  for (const places of [slots, tops]) {
    await forAll(values, async (value) => {
      await expectRefused(await send(route, exampleWith(example, places, value)), places, value)
    })
  }
})

test.for(bodies)(
  '$id: a body is no deeper, and has no more members, than it should',
  async ({ route, slots }) => {
    const { method, path } = requestFor(route, examples[route.id] ?? {})
    const deep = (open: string, close: string, inner = '') =>
      `${open.repeat(6_000)}${inner}${close.repeat(6_000)}`
    const name = slots[0]?.path[0] ?? ''
    for (const body of [
      deep('[', ']'),
      deep('{"a":', '}', '1'),
      `{"${name}":${deep('[', ']')}}`,
      `{"${name}":${deep('{"a":', '}', '1')}}`,
      '{"__proto__":{"admin":true}}',
      '{"constructor":{"prototype":{"admin":true}}}',
      `{${Array.from({ length: 5_000 }, (_, at) => `"${at}":1`).join()}}`,
    ]) {
      const headers = { 'content-type': 'application/json' }
      const problem = await refusalOf(await ask(method, path, { token: admin.token, headers, body }))
      expect(problem?.code, body.slice(0, 50)).toBe('invalid-request')
    }
    expect({}).not.toHaveProperty('admin')
  },
)

test('what is said twice in a query is refused', async () => {
  for (const { route, slots } of cases.filter(({ target }) => target === 'query')) {
    for (const slot of slots) {
      const { method, path } = requestFor(route, examples[route.id] ?? {})
      const twice = `${slot.path.join()}=1`
      const response = await ask(method, `${path.replace(/\?.*/, '')}?${twice}&${twice}`, admin)
      await expectRefused(response, [slot], twice)
    }
  }
})

const refusedAddress = ['unsupported-url', 'invalid-request', 'payload-too-large']

test.for(
  cases.flatMap(({ route, id, slots }) =>
    slots.filter(({ path }) => path[0] === 'url').map((slot) => ({ route, id, slot })),
  ),
)('$id: an address is an address, or refused', async ({ route, slot }) => {
  let taken = 0
  const asked = await askedOfPlex(async () => {
    await forAll(texts.flatMap(addressesWith), async (url) => {
      const problem = await refusalOf(await send(route, exampleWith(examples[route.id] ?? {}, [slot], url)))
      if (!problem || problem.code === 'duplicate-download') taken += 1
      else expect(refusedAddress, `${url} ${JSON.stringify(problem)}`).toContain(problem.code)
    })
  })
  expect(taken).toBeGreaterThan(0)
  await expectNoHarm(heard, asked)
})

test('a key of whatever letters is a key, and shows nowhere', async () => {
  const asked = await askedOfPlex(async () => {
    const outcomes = await forAll(texts.filter(isHeader), async (text) => {
      const json = { url: `${newVideo()}?x=${encodeURIComponent(text)}` }
      const post = () =>
        ask('POST', '/api/youtube/download', {
          token: admin.token,
          json,
          headers: { 'Idempotency-Key': text },
        })
      const [first, again] = [await post(), await post()]
      if (!/^[!-~]{1,255}$/.test(text)) {
        expect((await refusalOf(first))?.code, text).toBe('invalid-request')
        return 'refused'
      }
      const { id } = (await expectData(first.clone(), 201, DownloadBody)).data
      expect(await refusalOf(first)).toBeUndefined()
      expect((await expectData(again, 201, DownloadBody)).data.id).toBe(id)
      return 'taken'
    })
    expect(new Set(outcomes)).toEqual(new Set(['refused', 'taken']))
  })
  await expectNoHarm(heard, asked)
})

const Collections = z.object({ collections: z.array(z.object({ title: z.string() })) })
const titlesInPlex = async () =>
  Collections.parse(await control('plexUrl', 'state', undefined, 'GET')).collections.map(({ title }) => title)

test('whatever a site says of a playlist, and a collection is called, stays what it is', async () => {
  const request = (number: number, collection: string) =>
    ask('POST', '/api/youtube/playlist', {
      token: admin.token,
      json: { url: `https://www.youtube.com/playlist?list=PL${number}`, collection },
      headers: { 'Idempotency-Key': `list-${number}` },
    })
  const round = () => askedOfPlex(() => buildServices(env).collecting.round())
  expect((await request(texts.length, 'Nobody knows this')).status).toBe(200)
  const known = new Set((await round()).map(shapeOfCall))
  const before = await titlesInPlex()

  const taken = await forAll([...texts.entries()], async ([number, text]) => {
    const response = await request(number, text)
    const problem = await refusalOf(response.clone())
    if (problem) {
      expect(['invalid-request', 'payload-too-large'], text).toContain(problem.code)
      return []
    }
    const { results } = (await expectData(response, 200, PlaylistBody)).data
    expect(results.at(-1), text).toMatchObject({ outcome: 'shared' })
    const refused = results.filter(({ url }) => !canonical.test(url))
    expect(new Set(refused.map(({ problem: why }) => why))).toEqual(new Set(['unsupported-url']))
    return [text.trim()]
  })
  const accepted = taken.flat()
  const asked = await round()
  expect(asked.map(shapeOfCall).filter((call) => !known.has(call))).toEqual([])
  const made = (await titlesInPlex()).filter((title) => !before.includes(title))
  expect(made.toSorted()).toEqual(accepted.toSorted())
  expect(accepted.length).toBeGreaterThan(40)
  await expectNoHarm(heard, asked)
})

const search = ({ token }: Friend, query: Readonly<Record<string, string>>) =>
  ask('GET', `/api/youtube/downloads?${new URLSearchParams(query).toString()}`, { token })

test('whatever is looked for, there is an answer', async () => {
  const friend = await newFriend()
  await store(friend)
  const text = fc.string({ unit: 'binary', maxLength: 110 })
  const number = fc.oneof(fc.integer({ min: -1, max: 101 }).map(String), fc.double().map(String), text)
  const time = fc.oneof(
    fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
    text,
  )
  const filters = fc.record(
    { q: text, from: time, to: time, page: number, limit: number, status: text, scope: text },
    { requiredKeys: [] },
  )
  const searches = fc.array(fc.oneof(filters, fc.record({ q: text })), { minLength: 20, maxLength: 20 })
  const statuses = new Set<number>()
  const property = fc.asyncProperty(searches, async (queries) => {
    await forAll(queries, async (query) => {
      const response = await search(friend, query)
      statuses.add(response.status)
      expect([undefined, 'invalid-request']).toContain((await refusalOf(response))?.code)
    })
  })
  await fc.assert(property, { numRuns: 12 })
  expect(statuses).toEqual(new Set([200, 400]))
})

test('a title is found by any part of it', async () => {
  const friend = await newFriend()
  const titles = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 60 }), { minLength: 20 })
  const property = fc.asyncProperty(titles, fc.nat({ max: 20 }), async (all, start) => {
    await forAll(all, async (each) => {
      const title = each.normalize('NFC')
      const part = Array.from(title).slice(start, start + 20)
      const q = part.some((letter) => letter.trim() !== '') ? part.join('') : title
      if (q.trim() === '') return
      const { id } = await store(friend, { title })
      const { data } = await expectData(await search(friend, { q, limit: '100' }), 200, DownloadsBody)
      expect(data.map((found) => found.id)).toContain(id)
    })
  })
  await fc.assert(property, { numRuns: 4 })
})
