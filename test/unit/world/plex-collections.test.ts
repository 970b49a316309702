import { expect, test } from 'vitest'
import * as z from 'zod'
import { asFriend, fields, rawContainer, startPlex, withQuery, type Caller } from './plex-caller.ts'

const uri = ({ plex }: Caller, keys: string) =>
  `server://${plex.machineIdentifier}/com.plexapp.plugins.library/library/metadata/${keys}`

const create = (caller: Caller, title: string, keys: string, more: Record<string, string> = {}) =>
  caller.call(
    withQuery('/library/collections', {
      type: '1',
      title,
      smart: '0',
      sectionId: '1',
      uri: uri(caller, keys),
      ...more,
    }),
    { method: 'POST' },
  )

const createdKey = async (answer: Response): Promise<string> => {
  const [row] = z.array(z.object({ ratingKey: z.string() })).parse((await rawContainer(answer))['Metadata'])
  return row?.ratingKey ?? ''
}

test('counts and years of a collection are strings, its tag is a number', async () => {
  const { container } = await startPlex()
  const { Metadata } = await container('/library/sections/1/collections')
  expect(Metadata).toMatchObject([
    {
      title: 'Animation Night',
      type: 'collection',
      childCount: '8',
      minYear: '2001',
      maxYear: '2019',
      index: expect.any(Number),
    },
  ])
  expect(Metadata[0]).not.toHaveProperty('Label')
  const [listed] = (await container('/library/sections/1/all?type=18')).Metadata
  const [detail] = (await container(`/library/collections/${String(listed?.['ratingKey'])}`)).Metadata
  expect(listed).toEqual(Metadata[0])
  expect(detail).toHaveProperty('Label')
  const byTag = await container(
    withQuery('/library/sections/1/all', { collection: String(listed?.['index']) }),
  )
  expect(byTag.Metadata).toHaveLength(8)
})

test('the same title again adds to the collection that has it', async () => {
  const caller = await startPlex()
  const [first, second] = [
    await create(caller, 'Ünique & Co', '1,2'),
    await create(caller, 'Ünique & Co', '2,3'),
  ]
  const key = await createdKey(first)

  expect(await createdKey(second)).toBe(key)
  const items = await caller.container(`/library/collections/${key}/items`)
  expect(fields(items.Metadata, 'ratingKey')).toEqual(['1', '2', '3'])
  expect(await createdKey(await create(caller, 'ünique & co', '4'))).not.toBe(key)
})

test('items are added, moved, taken out, and the last one takes the collection along', async () => {
  const caller = await startPlex()
  const key = await createdKey(await create(caller, 'Silent', '1,2'))
  const at = `/library/collections/${key}`
  const keys = async () => fields((await caller.container(`${at}/children`)).Metadata, 'ratingKey')

  await caller.call(withQuery(`${at}/items`, { uri: uri(caller, '5,6') }), { method: 'PUT' })
  expect(await keys()).toEqual(['1', '2', '5', '6'])
  await caller.call(`${at}/items/6/move?after=1`, { method: 'PUT' })
  expect(await keys()).toEqual(['1', '6', '2', '5'])
  for (const item of ['1', '6', '2']) await caller.call(`${at}/items/${item}`, { method: 'DELETE' })
  expect(await keys()).toEqual(['5'])
  expect((await caller.call(`${at}/items/5`, { method: 'DELETE' })).status).toBe(200)
  expect((await caller.call(at)).status).toBe(404)
})

test('members say which collections they are in', async () => {
  const caller = await startPlex()
  await create(caller, 'Silent', '1')
  expect((await caller.container('/library/metadata/1')).Metadata).toMatchObject([
    { Collection: [{ tag: 'Silent' }] },
  ])
})

test('renaming into a title that is taken is a conflict', async () => {
  const caller = await startPlex()
  const key = await createdKey(await create(caller, 'Silent', '1'))
  const rename = (title: string) =>
    caller.call(
      withQuery('/library/sections/1/all', {
        type: '18',
        id: key,
        'title.value': title,
        'title.locked': '1',
      }),
      { method: 'PUT' },
    )

  expect((await rename('Animation Night')).status).toBe(409)
  expect((await rename('Before Sound')).status).toBe(200)
  expect((await caller.container(`/library/metadata/${key}`)).Metadata).toMatchObject([
    { title: 'Before Sound' },
  ])
})

test('a collection is of one section, one type, this server, and not empty', async () => {
  const caller = await startPlex()
  expect((await create(caller, 'X', '999999')).status).toBe(400)
  expect((await create(caller, 'X', '1,41')).status).toBe(400)
  expect((await create(caller, 'X', '1', { type: '18' })).status).toBe(400)
  expect((await create(caller, 'X', '1', { sectionId: '9' })).status).toBe(400)
  expect((await create(caller, 'X', '1', { smart: '1' })).status).toBe(400)
  expect(
    (await create(caller, 'X', '1', { uri: uri(caller, '1').replace(/\/\/\w+/, '//other') })).status,
  ).toBe(400)
  expect(caller.plex.state().collections).toHaveLength(1)
})

test('a smart collection holds what its query finds', async () => {
  const caller = await startPlex()
  const query = `server://${caller.plex.machineIdentifier}/com.plexapp.plugins.library/library/sections/1/all?type=1&year=2006`
  const key = await createdKey(await create(caller, 'The year 2006', '1', { smart: '1', uri: query }))

  expect((await caller.container(`/library/collections/${key}`)).Metadata).toMatchObject([
    { smart: '1', childCount: '2' },
  ])
  const changed = await caller.call(
    withQuery(`/library/collections/${key}/items`, { uri: uri(caller, '1') }),
    { method: 'PUT' },
  )
  expect(changed.status).toBe(400)
})

test('changing and deleting collections is for the owner', async () => {
  const caller = await startPlex()
  caller.grants[1] = { token: 'friend-token', owner: false, sections: ['1'] }
  const key = await createdKey(await create(caller, 'Silent', '1,2'))

  expect((await caller.call(`/library/collections/${key}`, { ...asFriend, method: 'DELETE' })).status).toBe(
    401,
  )
  expect(
    (await caller.call(`/library/collections/${key}/items/1`, { ...asFriend, method: 'DELETE' })).status,
  ).toBe(401)
  expect((await caller.call(`/library/sections/1/collection/${key}`, { method: 'DELETE' })).status).toBe(200)
  expect((await caller.call(`/library/collections/${key}`)).status).toBe(404)
})

test('too long an address is refused', async () => {
  const caller = await startPlex()
  const keys = Array.from({ length: 2000 }, (_, i) => i + 1).join(',')
  expect((await create(caller, 'Long', keys)).status).toBe(400)
})

test('an item that is removed leaves its collections', async () => {
  const caller = await startPlex()
  const key = await createdKey(await create(caller, 'Silent', '1,2'))
  caller.plex.removeItem('1')
  expect((await caller.call('/library/metadata/1')).status).toBe(404)
  expect((await caller.container(`/library/collections/${key}`)).Metadata).toMatchObject([
    { childCount: '1' },
  ])
})
