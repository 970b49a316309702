import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'

import { ask, expectData, expectProblem, signIn } from '../support/client.ts'
import { seen } from '../support/world.ts'
import { expectRefusedBeforePlex, startOver } from './support.ts'

const olivia = await signIn('olivia')
const frank = await signIn('frank')

beforeEach(startOver)
afterEach(startOver)

const refresh = (json: unknown, { accessToken } = olivia, key = '1') =>
  ask('POST', `/api/plex/libraries/${key}/refresh`, { token: accessToken, json })
const Queued = z.object({
  data: z.strictObject({ libraryKey: z.string(), path: z.string().optional(), state: z.literal('queued') }),
})

test('an admin has a library scanned, or a folder in it', async () => {
  expect((await expectData(await refresh({}), 202, Queued)).data).toEqual({
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

test('a friend may not have anything scanned, and Plex is not even asked', async () => {
  await expectRefusedBeforePlex(() => refresh({}, frank), 'forbidden')
})
