import { evictDurableObject } from 'cloudflare:test'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'

import { expectProblem, signIn } from '../support/client.ts'
import { fault, forgetSeen, type Fault } from '../support/world.ts'
import {
  addMovies,
  askElsewhere,
  byTitle,
  changed,
  commands,
  held,
  keysIn,
  newTitle,
  put,
  removeCollections,
  removeItems,
} from './collections-support.ts'
import { plexServer, restoreAllowance, startOver } from './support.ts'

const olivia = await signIn('olivia')
const [a = '', b = '', c = '', d = ''] = await keysIn('1', olivia)

beforeEach(async () => {
  await startOver()
  await forgetSeen('plexUrl')
})
afterEach(async () => {
  await startOver()
  await removeCollections(olivia)
})
afterAll(() => restoreAllowance(olivia))

const create = 'POST /library/collections'
const failing = { kind: 'status', status: 500, times: 1 } as const

test('fifty identical writes at once make one collection, once, with exactly the items', async () => {
  const title = newTitle()
  const write = (index: number) =>
    index % 2 === 0
      ? put(title, { items: [a, b, c] }, olivia)
      : askElsewhere('PUT', byTitle(title), { token: olivia.accessToken, json: { items: [a, b, c] } })
  const statuses = await Promise.all(
    Array.from({ length: 50 }, async (_, index) => (await write(index)).status),
  )
  expect(statuses.toSorted()).toEqual([...Array.from({ length: 49 }, () => 200), 201])
  expect(await held(title)).toMatchObject([{ itemKeys: [a, b, c] }])
  expect(await commands()).toEqual([create])
})

test('the same while the object that holds the locks is evicted again and again', async () => {
  const title = newTitle()
  const writes = Array.from({ length: 20 }, () => put(title, { items: [a, b] }, olivia))
  for (let times = 0; times < 5; times += 1) {
    // What is not running cannot be evicted.
    await plexServer().releaseLock('nothing', 0)
    await evictDurableObject(plexServer())
    await scheduler.wait(20)
  }
  const statuses = (await Promise.all(writes)).map(({ status }) => status)
  expect(statuses.toSorted()).toEqual([...Array.from({ length: 19 }, () => 200), 201])
  expect(await held(title)).toMatchObject([{ itemKeys: [a, b] }])
  expect(await commands()).toEqual([create])
})

test('of different writes at once one is the last, and nothing is mixed', async () => {
  const title = newTitle()
  const wanted = [[a], [b, c], [c, d], [a, d]]
  // Slow enough for one to be in the middle when another comes.
  await fault('plexUrl', { kind: 'delay', delayMs: 15 })
  const writes = Array.from({ length: 12 }, (_, index) => put(title, { items: wanted[index % 4] }, olivia))
  for (const answer of await Promise.all(writes)) expect([200, 201]).toContain(answer.status)
  const collections = await held(title)
  expect(collections).toHaveLength(1)
  expect(wanted.map((keys) => keys.toSorted())).toContainEqual(collections[0]?.itemKeys.toSorted())
})

test('a create that succeeded and never answered is found by its title, and not sent again', async () => {
  const title = newTitle()
  await fault('plexUrl', { kind: 'unanswered', method: 'POST', times: 1 })
  expect(await changed(put(title, { items: [a, b] }, olivia), 201)).toMatchObject({ created: true, calls: 1 })
  expect(await held(title)).toMatchObject([{ itemKeys: [a, b] }])
  expect(await commands()).toEqual([create])
})

test('a create that Plex carries out after we gave up is found by the next', async () => {
  const title = newTitle()
  await fault('plexUrl', { kind: 'delay', delayMs: 900, method: 'POST', times: 1 })
  await expectProblem(await put(title, { items: [a, b] }, olivia), 'plex-unavailable')
  expect(await commands()).toEqual([create])
  await expect.poll(() => held(title), { timeout: 5_000 }).toHaveLength(1)
  expect(await changed(put(title, { items: [a, b] }, olivia))).toMatchObject({ created: false, calls: 0 })
  expect(await held(title)).toMatchObject([{ itemKeys: [a, b] }])
})

const brokenCreates: Readonly<Record<string, Fault>> = {
  'is reset': { kind: 'reset', method: 'POST', times: 1 },
  'is a 500': { ...failing, method: 'POST' },
  hangs: { kind: 'hang', method: 'POST', times: 1 },
  'is a page of somebody’s': { kind: 'html', method: 'POST', times: 1 },
}

test.for(Object.entries(brokenCreates))(
  'a create that %s is not repeated, and the next write makes it',
  async ([, broken]) => {
    const title = newTitle()
    await fault('plexUrl', broken)
    const answer = await put(title, { items: [a, b] }, olivia)
    await expectProblem(answer, broken.kind === 'html' ? 'upstream-invalid' : 'plex-unavailable')
    expect(await commands()).toEqual([create])
    await changed(put(title, { items: [a, b] }, olivia), 201)
    expect(await held(title)).toMatchObject([{ itemKeys: [a, b] }])
  },
)

test.for<[string, Fault]>([
  ['adding fails', { ...failing, method: 'PUT' }],
  ['adding is never answered', { kind: 'unanswered', method: 'PUT', times: 1 }],
  ['removing fails', { ...failing, method: 'DELETE' }],
  ['removing is never answered', { kind: 'unanswered', method: 'DELETE', times: 1 }],
])('when %s, the next write ends what was begun', async ([, broken]) => {
  const title = newTitle()
  await changed(put(title, { items: [a, b] }, olivia), 201)
  await fault('plexUrl', broken)
  await expectProblem(await put(title, { items: [b, c] }, olivia), 'plex-unavailable')
  await changed(put(title, { items: [b, c] }, olivia))
  expect(await held(title)).toMatchObject([{ itemKeys: [b, c] }])
})

test('a collection that was being made anew is made by the next write', async () => {
  const title = newTitle()
  const keys = await addMovies(24)
  try {
    await changed(put(title, { items: keys }, olivia), 201)
    await fault('plexUrl', { ...failing, method: 'POST' })
    await expectProblem(await put(title, { items: keys.slice(0, 2) }, olivia), 'plex-unavailable')
    expect(await held(title)).toEqual([])
    await changed(put(title, { items: keys.slice(0, 2) }, olivia), 201)
    expect(await held(title)).toMatchObject([{ itemKeys: keys.slice(0, 2) }])
  } finally {
    await removeItems(keys)
  }
})
