import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'

import { ScanBody } from '../../../src/plex/scan-schema.ts'
import { ask, expectData, expectProblem, signIn } from '../support/client.ts'
import { fault, forgetSeen, seen } from '../support/world.ts'
import { expectRefusedBeforePlex, Libraries, plexServer, read, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')

beforeEach(startOver)
afterEach(startOver)

const refresh = (json: unknown, { accessToken } = olivia, key = '1') =>
  ask('POST', `/api/plex/libraries/${key}/refresh`, { token: accessToken, json })
const Queued = z.object({
  data: z.strictObject({
    scanId: z.uuid(),
    libraryKey: z.string(),
    path: z.string().optional(),
    state: z.literal('queued'),
  }),
})

test('an admin has a library scanned, or a folder in it', async () => {
  expect((await expectData(await refresh({}), 202, Queued)).data).toEqual({
    scanId: expect.any(String),
    libraryKey: '1',
    state: 'queued',
  })
  const path = '/media/movies/Häxan (1922)'
  expect((await expectData(await refresh({ path }), 202, Queued)).data.path).toBe(path)
  await expect
    .poll(async () => (await seen('plexUrl')).filter((asked) => asked.path.endsWith('/refresh')), {
      timeout: 10_000,
    })
    .toEqual(
      expect.arrayContaining([
        expect.objectContaining({ path: '/library/sections/1/refresh', query: '' }),
        expect.objectContaining({ query: '?path=%2Fmedia%2Fmovies%2FH%C3%A4xan%20%281922%29' }),
      ]),
    )
})

test('of a file it is the folder that is scanned', async () => {
  const path = '/media/movies/The Kid (1921)/The Kid (1921).mkv'
  expect((await expectData(await refresh({ path }), 202, Queued)).data.path).toBe(
    '/media/movies/The Kid (1921)',
  )
})

test('a folder outside of the library is refused, and so is one that climbs out', async () => {
  for (const path of [
    '/media/tv',
    '/media/movies2',
    '/media/movies/../tv',
    '/',
    'movies',
    '/media/a.mkv',
    '',
  ]) {
    await expectProblem(await refresh({ path }), 'invalid-request')
  }
  await expectProblem(await refresh({ path: '/media/movies', force: true }), 'invalid-request')
  await expectProblem(await refresh({}, olivia, '999'), 'not-found')
})

test('to have everything read anew, the title of the library must be given', async () => {
  const forced = () => seen('plexUrl').then((all) => all.filter(({ query }) => query.includes('force=1')))
  await forgetSeen('plexUrl')
  for (const more of [{}, { confirm: '' }, { confirm: 'movies' }, { confirm: 'Shows' }]) {
    const { errors } = await expectProblem(await refresh({ force: true, ...more }), 'invalid-request')
    expect(errors).toMatchObject([{ pointer: 'json#/confirm' }])
  }
  const libraries = await expectData(await read('/libraries', olivia), 200, Libraries)
  const title = libraries.data.find(({ key }) => key === '1')?.title
  expect(await forced()).toEqual([])
  await expectData(await refresh({ force: true, confirm: title }), 202, Queued)
  await expect.poll(forced, { timeout: 10_000 }).toMatchObject([{ path: '/library/sections/1/refresh' }])
})

test('while Plex is away a refresh is taken, but not one of everything', async () => {
  await fault('plexUrl', { kind: 'status', status: 500 })
  await evictDurableObject(plexServer())
  const { data } = await expectData(await refresh({}, olivia, '77'), 202, Queued)
  await expectProblem(await refresh({ force: true, confirm: 'x' }), 'plex-unavailable')
  await startOver()
  // It remembers an open circuit for as long as it lives.
  await evictDurableObject(plexServer())
  const outcome = async () => {
    await runInDurableObject(plexServer(), (_server, { storage }) => {
      for (const [key, scan] of storage.kv.list<{ notBefore: number }>({ prefix: 'queued-scan:' })) {
        storage.kv.put(key, { ...scan, notBefore: 0 })
      }
    })
    await runDurableObjectAlarm(plexServer())
    return (await expectData(await read(`/scans/${data.scanId}`, olivia), 200, ScanBody)).data.state
  }
  await expect.poll(outcome, { timeout: 10_000 }).toBe('no-library')
})

test('a friend may not have anything scanned, and Plex is not even asked', async () => {
  await expectRefusedBeforePlex(() => refresh({}, frank), 'forbidden')
})
