import { env } from 'cloudflare:workers'
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'

import { Collection } from '../../../src/plex/collection-schema.ts'
import { expectData, expectProblem, signIn } from '../support/client.ts'
import { fault, forgetSeen, seen } from '../support/world.ts'
import {
  addMovies,
  ask,
  changed,
  commands,
  held,
  keysIn,
  newTitle,
  put,
  read,
  readItems,
  removeCollections,
  removeItems,
} from './collections-support.ts'
import { restoreAllowance, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const fatima = await signIn('fatima')
const [a = '', b = '', c = ''] = await keysIn('1', olivia)

beforeEach(async () => {
  await startOver()
  await forgetSeen('plexUrl')
})
afterEach(async () => {
  await startOver()
  await removeCollections(olivia)
})
afterAll(() => restoreAllowance(olivia))

const admin = (method: string, path: string, json?: unknown) =>
  ask(method, `/api/plex${path}`, { token: olivia.accessToken, json })
const create = (title: string, items: readonly string[]) =>
  admin('POST', '/collections', { libraryKey: '1', title, items })

const Listed = z.object({
  data: z.array(Collection),
  meta: z.object({ offset: z.int(), limit: z.int(), total: z.int() }),
})
const list = async (session = olivia, query = '') =>
  expectData(await read(`/libraries/1/collections${query}`, session), 200, Listed)
const titles = async (session = olivia) => (await list(session)).data.map(({ title }) => title)

test('a friend sees the collections of a shared library, with pictures and links', async () => {
  const { data, meta } = await list(frank)
  expect(meta).toEqual({ offset: 0, limit: 50, total: 1 })
  expect(data).toMatchObject([
    {
      title: 'Animation Night',
      libraryKey: '1',
      itemType: 'movie',
      itemCount: 8,
      minYear: 2001,
      smart: false,
    },
  ])
  const [{ ratingKey, images, links } = { ratingKey: '' }] = data
  expect(images?.poster).toMatch(/^\/api\/plex\/images\//)
  expect(links?.web).toContain(encodeURIComponent(`/library/collections/${ratingKey}`))
  const one = await expectData(
    await read(`/collections/${ratingKey}`, frank),
    200,
    z.object({ data: Collection }),
  )
  expect(one.data).toMatchObject({ ratingKey, title: 'Animation Night', libraryKey: '1' })
  const first = await readItems(`/collections/${ratingKey}/items?limit=5`, frank)
  const rest = await readItems(`/collections/${ratingKey}/items?limit=5&offset=5`, frank)
  expect([first.data.length, rest.data.length, rest.meta.total]).toEqual([5, 3, 8])
  expect((await list(frank, '?offset=1&limit=1')).data).toEqual([])
})

test('who does not share the library sees none of its collections', async () => {
  const [{ ratingKey } = { ratingKey: '' }] = await held('Animation Night')
  for (const path of [
    '/libraries/1/collections',
    `/collections/${ratingKey}`,
    `/collections/${ratingKey}/items`,
  ]) {
    await expectProblem(await read(path, fatima), 'not-found')
  }
})

test('a collection is made, seen at once by who made it, and not made twice', async () => {
  const title = newTitle()
  expect(await titles()).not.toContain(title)
  const made = await changed(create(title, [a, b]), 201)
  expect(made).toMatchObject({ created: true, added: [a, b], removed: [], calls: 1 })
  expect(made.collection).toMatchObject({ title, libraryKey: '1', itemCount: 2, itemType: 'movie' })
  expect(made.collection?.images?.poster).toMatch(/^\/api\/plex\/images\//)
  expect(await titles()).toContain(title)

  expect(await changed(create(title, [b, c, c]))).toMatchObject({ created: false, added: [c], calls: 1 })
  expect(await changed(create(title, [a]))).toMatchObject({ added: [], calls: 0 })
  expect(await held(title)).toMatchObject([{ itemKeys: [a, b, c] }])
  const key = made.collection?.ratingKey
  expect(await commands()).toEqual(['POST /library/collections', `PUT /library/collections/${key}/items`])
})

test('by its title a collection comes to hold exactly what is wanted', async () => {
  const title = newTitle()
  await changed(put(title, { items: [a, b] }, olivia), 201)
  await forgetSeen('plexUrl')
  const change = await changed(put(title, { items: [c, b] }, olivia))
  expect(change).toMatchObject({ created: false, added: [c], removed: [a], calls: 2 })
  const [collection] = await held(title)
  expect(collection?.itemKeys).toEqual([b, c])
  const path = `/library/collections/${collection?.ratingKey}/items`
  expect(await commands()).toEqual([`PUT ${path}`, `DELETE ${path}/${a}`])

  await forgetSeen('plexUrl')
  expect(await changed(put(title, { items: [b, c] }, olivia))).toMatchObject({
    added: [],
    removed: [],
    calls: 0,
  })
  expect(await changed(put(title, { items: [a], mode: 'add', dryRun: true }, olivia))).toMatchObject({
    added: [a],
    removed: [],
    calls: 1,
  })
  expect(await commands()).toEqual([])
})

test('a dry run of what is not there says that it would be made', async () => {
  const title = newTitle()
  const change = await changed(put(title, { items: [a], dryRun: true }, olivia))
  expect(change).toEqual({ created: true, added: [a], removed: [], calls: 1 })
  expect(await held(title)).toEqual([])
})

test('titles are told apart by case and not by how accents were typed, whatever is in them', async () => {
  const title = `Été / 100% #1 & ?+ ${newTitle()}`
  await changed(put(title, { items: [a] }, olivia), 201)
  expect(await held(title)).toHaveLength(1)
  expect(await changed(put(title.normalize('NFD'), { items: [a] }, olivia))).toMatchObject({ calls: 0 })
  await changed(put(title.toLowerCase(), { items: [b] }, olivia), 201)
  expect(await held(title)).toMatchObject([{ itemKeys: [a] }])
  expect(await held(title.toLowerCase())).toMatchObject([{ itemKeys: [b] }])
})

test('a title is looked for on all pages', async () => {
  const title = newTitle()
  const { collection } = await changed(create(title, [a]), 201)
  const page = (rows: readonly object[]) => ({
    kind: 'wrong-types' as const,
    path: '/sections/1/collections$',
    times: 1,
    body: JSON.stringify({ MediaContainer: { size: rows.length, totalSize: '101', Metadata: rows } }),
  })
  const others = Array.from({ length: 100 }, (_, index) => ({
    ratingKey: String(70_000 + index),
    title: `T${index}`,
  }))
  await fault('plexUrl', page(others))
  await fault(
    'plexUrl',
    page([{ ratingKey: collection?.ratingKey, title, type: 'collection', subtype: 'movie' }]),
  )
  expect(await changed(put(title, { items: [a, b] }, olivia))).toMatchObject({ created: false, added: [b] })
})

test('many items travel in hundreds', async () => {
  const title = newTitle()
  const keys = await addMovies(120)
  try {
    expect(await changed(put(title, { items: keys }, olivia), 201)).toMatchObject({ calls: 2 })
    expect((await held(title))[0]?.itemKeys).toEqual(keys)
    const longest = Math.max(...(await seen('plexUrl')).map(({ path, query }) => path.length + query.length))
    expect(longest).toBeLessThan(8_000)
    // Too many to be taken out one by one.
    expect(await changed(put(title, { items: keys.slice(0, 3) }, olivia))).toMatchObject({
      created: false,
      calls: 2,
    })
    expect(await held(title)).toMatchObject([{ itemKeys: keys.slice(0, 3) }])
  } finally {
    await removeItems(keys)
  }
})

test('a collection gets a title that is free, and no other', async () => {
  const [title, other] = [newTitle(), newTitle()]
  const { collection: { ratingKey } = { ratingKey: '' } } = await changed(create(title, [a]), 201)
  await changed(create(other, [b]), 201)
  await forgetSeen('plexUrl')
  await expectProblem(
    await admin('PUT', `/collections/${ratingKey}`, { title: other }),
    'collection-title-taken',
  )
  expect(await commands()).toEqual([])
  const free = newTitle()
  const renamed = await changed(admin('PUT', `/collections/${ratingKey}`, { title: free }))
  expect(renamed.collection).toMatchObject({ ratingKey, title: free })
  expect(await changed(admin('PUT', `/collections/${ratingKey}`, { title: free }))).toMatchObject({
    calls: 0,
  })
  expect(await titles()).toEqual(expect.arrayContaining([free, other]))
  expect(await held(title)).toEqual([])
})

test('items come and go by the key of the collection, and with the last one it is gone', async () => {
  const title = newTitle()
  const { collection: { ratingKey } = { ratingKey: '' } } = await changed(create(title, [a]), 201)
  const items = `/collections/${ratingKey}/items`
  expect(await changed(admin('PUT', items, { items: [a, b] }))).toMatchObject({ added: [b], calls: 1 })
  expect((await readItems(items, olivia)).data.map((item) => item.ratingKey)).toEqual([a, b])
  const removed = await changed(admin('DELETE', `${items}/${a}`))
  expect(removed).toMatchObject({ removed: [a], collection: { itemCount: 1 } })
  expect((await readItems(items, olivia)).data.map((item) => item.ratingKey)).toEqual([b])
  await expectProblem(await admin('DELETE', `${items}/${a}`), 'not-found')
  expect((await changed(admin('DELETE', `${items}/${b}`))).collection).toBeUndefined()
  expect(await held(title)).toEqual([])
  await expectProblem(await read(items, olivia), 'not-found')
})

test('a collection is deleted, and its items stay', async () => {
  const title = newTitle()
  const { collection: { ratingKey } = { ratingKey: '' } } = await changed(create(title, [a]), 201)
  expect((await read(`/collections/${ratingKey}`, olivia)).status).toBe(200)
  expect((await admin('DELETE', `/collections/${ratingKey}`)).status).toBe(204)
  await expectProblem(await read(`/collections/${ratingKey}`, olivia), 'not-found')
  await expectProblem(await admin('DELETE', `/collections/${ratingKey}`), 'not-found')
  expect((await read(`/items/${a}`, olivia)).status).toBe(200)
})

test('who changed what is on record, and what changed nothing is not', async () => {
  const title = newTitle()
  const actions = async () => {
    const query = env.DB.prepare('select actor, action from audit_log where target = ? order by id')
    return (await query.bind(`1:${title}`).all()).results
  }
  await put(title, { items: [a], dryRun: true }, olivia)
  expect(await actions()).toEqual([])
  await put(title, { items: [a] }, olivia)
  await put(title, { items: [a] }, olivia)
  expect(await actions()).toEqual([{ actor: olivia.user.id, action: 'plex.collection.put' }])
})
