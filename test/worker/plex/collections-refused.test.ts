import { afterAll, afterEach, beforeEach, expect, test } from 'vitest'

import { expectProblem, signIn } from '../support/client.ts'
import { fault, forgetSeen } from '../support/world.ts'
import {
  ask,
  byTitle,
  changed,
  commands,
  held,
  keysIn,
  newTitle,
  put,
  readItems,
  removeCollections,
} from './collections-support.ts'
import { expectRefusedBeforePlex, restoreAllowance, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')
const [a = ''] = await keysIn('1', olivia)
const [show = ''] = await keysIn('2', olivia)

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

test('what cannot be in the collection is named, before anything is changed', async () => {
  const title = newTitle()
  const errorsOf = async (items: readonly string[]) => {
    const response = await put(title, { items }, olivia)
    return (await expectProblem(response, 'invalid-request'))['errors']
  }
  expect(await errorsOf([a, show, '999999'])).toEqual([
    { pointer: 'json#/items/1', detail: `${show} is not in this library` },
    { pointer: 'json#/items/2', detail: '999999 is not in this library' },
  ])
  expect(await errorsOf(['999998'])).toHaveLength(1)
  const { data } = await readItems(`/items/${show}/children`, olivia)
  const [season = ''] = data.map(({ ratingKey }) => ratingKey)
  const mixed = ask('PUT', byTitle(title, '2'), {
    token: olivia.accessToken,
    json: { items: [show, season] },
  })
  expect((await expectProblem(await mixed, 'invalid-request'))['errors']).toEqual([
    { pointer: 'json#/items/1', detail: `${season} is of type season; the collection holds show` },
  ])
  expect(await held(title)).toEqual([])
  expect(await commands()).toEqual([])
})

test('input that cannot be right is refused before Plex is asked', async () => {
  const bad = [
    { items: [] },
    { items: Array.from({ length: 1_001 }, (_, index) => String(index)) },
    { items: ['1/../2'] },
    { items: ['1,2'] },
    { items: [a], mode: 'some' },
    { items: [a], title: 'x' },
    {},
  ]
  for (const json of bad) await expectRefusedBeforePlex(() => put('x', json, olivia), 'invalid-request')
  for (const title of [' ', 'a\u0000b', 'x'.repeat(201)]) {
    await expectRefusedBeforePlex(() => put(title, { items: [a] }, olivia), 'invalid-request')
    await expectRefusedBeforePlex(() => admin('PUT', '/collections/1', { title }), 'invalid-request')
  }
  await expectProblem(
    await ask('PUT', byTitle('x', '999'), { token: olivia.accessToken, json: { items: [a] } }),
    'not-found',
  )
})

test('a title that somebody takes in the last moment is taken all the same', async () => {
  const { collection: { ratingKey } = { ratingKey: '' } } = await changed(create(newTitle(), [a]), 201)
  await fault('plexUrl', { kind: 'status', status: 409, method: 'PUT' })
  await expectProblem(
    await admin('PUT', `/collections/${ratingKey}`, { title: newTitle() }),
    'collection-title-taken',
  )
})

test('a collection that a rule fills takes no items', async () => {
  const row = {
    ratingKey: '71000',
    title: 'Rule',
    type: 'collection',
    subtype: 'movie',
    smart: '1',
    librarySectionID: 1,
  }
  const body = JSON.stringify({ MediaContainer: { size: 1, totalSize: 1, Metadata: row } })
  await fault('plexUrl', { kind: 'wrong-types', method: 'GET', path: 'collections', body })
  await expectProblem(await put('Rule', { items: [a] }, olivia), 'collection-is-smart')
  await expectProblem(await admin('DELETE', `/collections/71000/items/${a}`), 'collection-is-smart')
  expect(await commands()).toEqual([])
})

test('a friend may change nothing, and Plex is not even asked', async () => {
  const asFrank = (method: string, path: string, json?: unknown) =>
    ask(method, path, { token: frank.accessToken, ...(json !== undefined && { json }) })
  const items = [a]
  for (const [method, path, json] of [
    ['POST', '/api/plex/collections', { libraryKey: '1', title: 'x', items }],
    ['PUT', byTitle('x'), { items }],
    ['PUT', '/api/plex/collections/1', { title: 'x' }],
    ['DELETE', '/api/plex/collections/1'],
    ['PUT', '/api/plex/collections/1/items', { items }],
    ['DELETE', '/api/plex/collections/1/items/1'],
  ] as const) {
    await expectRefusedBeforePlex(() => asFrank(method, path, json), 'forbidden')
  }
})

test('an admin of ours whom Plex lets change nothing is told so', async () => {
  await fault('plexUrl', { kind: 'status', status: 403, method: 'POST' })
  await expectProblem(await put(newTitle(), { items: [a] }, olivia), 'forbidden')
})

test('a token that Plex refuses is looked into once, and the command, which did nothing, sent again', async () => {
  const title = newTitle()
  await fault('plexUrl', { kind: 'status', status: 401, method: 'POST', times: 1 })
  await changed(put(title, { items: [a] }, olivia), 201)
  expect(await held(title)).toMatchObject([{ itemKeys: [a] }])
  await fault('plexUrl', { kind: 'status', status: 401, method: 'DELETE' })
  const [{ ratingKey } = { ratingKey: '' }] = await held(title)
  await expectProblem(await admin('DELETE', `/collections/${ratingKey}`), 'plex-sign-in-required')
  expect(await held(title)).toHaveLength(1)
})
