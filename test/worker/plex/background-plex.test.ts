import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test } from 'vitest'

import { createBackgroundPlex } from '../../../src/platform/background-plex.ts'
import { signIn } from '../support/client.ts'
import { fault, world } from '../support/world.ts'
import { askedOfPlex, startOver } from './support.ts'

await signIn('olivia')
const plex = () => createBackgroundPlex(env)

beforeEach(startOver)
afterEach(startOver)

const answer = (container: unknown) =>
  fault('plexUrl', { kind: 'wrong-types', body: JSON.stringify({ MediaContainer: container }) })

test('the scans that run are read from what Plex is busy with, and their progress where it is known', async () => {
  const scan = (librarySectionID: unknown, more: object) => ({
    type: 'library.update.section',
    Context: { librarySectionID },
    ...more,
  })
  await answer({
    Activity: [
      scan(1, { progress: 40 }),
      scan('2', { progress: -1 }),
      scan('3', { progress: '12' }),
      scan('4', { progress: 100 }),
      scan('5', { progress: 50, ended: '1' }),
      scan('6', {}),
      scan(null, { progress: 1 }),
      { type: 'media.download', progress: 5, Context: { librarySectionID: '7' } },
      { type: 'library.update.section', Context: 'none' },
      null,
    ],
  })
  expect(await plex().activities()).toEqual(
    new Map([
      ['1', 40],
      ['2', undefined],
      ['3', 12],
      ['6', undefined],
    ]),
  )
})

test('a Plex that does nothing scans nothing, and one that cannot be asked says nothing', async () => {
  await answer({ size: 0 })
  expect(await plex().activities()).toEqual(new Map())
  await startOver()
  await fault('plexUrl', { kind: 'html' })
  expect(await plex().activities()).toBeUndefined()
  expect(await plex().places()).toBeUndefined()
})

test('libraries are known with their titles and folders', async () => {
  expect(await plex().places()).toContainEqual({
    libraryKey: '3',
    type: 'movie',
    title: expect.any(String),
    locations: [world.youtubeFolder],
  })
})

test('a command tells a library that is gone from a Plex that is away', async () => {
  const asked = await askedOfPlex(async () => {
    expect(await plex().refresh('1', '/media/movies/A & B', true)).toBe('done')
  })
  expect(asked).toMatchObject([
    { path: '/library/sections/1/refresh', query: '?path=%2Fmedia%2Fmovies%2FA%20%26%20B&force=1' },
  ])
  expect(await plex().refresh('99', undefined, false)).toBe('gone')
  await fault('plexUrl', { kind: 'status', status: 500 })
  expect(await plex().refresh('1', undefined, false)).toBe('unavailable')
})

test('the files of a library are those behind its newest films, or episodes', async () => {
  const all = await plex().shown('1', 1_000)
  expect(all?.length).toBeGreaterThan(0)
  expect(all?.[0]).toEqual({ file: expect.stringContaining('/media/movies/'), ratingKey: expect.any(String) })
  const asked = await askedOfPlex(async () => plex().shown('2', 100))
  // Of a library of shows the episodes.
  expect(asked.at(-1)?.query).toContain('type=4')
})
