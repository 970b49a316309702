import { expect, test } from 'vitest'

import { createReceiver, start } from './receiver.ts'
import { movie, stored } from './stored.ts'

test('an available film is scanned for, its library refreshed, and those who share it are told', async () => {
  const receiver = createReceiver()
  const id = await stored(receiver, 'overseerr', 'MEDIA_AVAILABLE', movie)
  expect(await receiver.webhooks.process(id)).toEqual({ done: true })
  expect(receiver.seen).toMatchObject({ scans: ['1'], invalidated: ['1'] })
  expect(receiver.seen.published).toEqual([
    {
      audience: { kind: 'section', libraryKey: '1' },
      event: {
        event: 'media:available',
        data: { title: 'The Matrix (1999)', type: 'movie', libraryKey: '1' },
      },
    },
  ])
  expect(receiver.rows.get(id)).toMatchObject({
    status: 'processed',
    attempts: 1,
    processedAt: new Date(start).toISOString(),
    outcome: 'refreshed library 1, asked for a scan, told media:available',
  })
})

test('an available series is scanned for in the other library', async () => {
  const receiver = createReceiver()
  await receiver.webhooks.process(await stored(receiver, 'overseerr', 'MEDIA_AVAILABLE', { mediaType: 'tv' }))
  expect(receiver.seen).toMatchObject({ scans: ['2'], invalidated: ['2'] })
})

test.each([
  ['MEDIA_PENDING', 'media:requested'],
  ['MEDIA_AUTO_REQUESTED', 'media:requested'],
  ['MEDIA_APPROVED', 'media:approved'],
  ['MEDIA_AUTO_APPROVED', 'media:approved'],
  ['MEDIA_DECLINED', 'media:declined'],
  ['MEDIA_FAILED', 'media:failed'],
])('%s is told to admins as %s, and nothing is scanned', async (type, event) => {
  const receiver = createReceiver()
  await receiver.webhooks.process(await stored(receiver, 'overseerr', type, movie))
  expect(receiver.seen.scans).toEqual([])
  expect(receiver.seen.published).toEqual([
    {
      audience: { kind: 'admins' },
      event: { event, data: { title: 'The Matrix (1999)', type: 'movie', requestId: '12' } },
    },
  ])
})

test('a new item in Plex refreshes its library without a scan', async () => {
  const receiver = createReceiver()
  const kept = {
    libraryKey: '7',
    ratingKey: '99',
    title: 'Pilot',
    grandparentTitle: 'A Show',
    type: 'episode',
  }
  await receiver.webhooks.process(await stored(receiver, 'plex', 'library.new', kept))
  expect(receiver.seen).toMatchObject({ scans: [], invalidated: ['7'] })
  expect(receiver.seen.published).toEqual([
    {
      audience: { kind: 'section', libraryKey: '7' },
      event: {
        event: 'plex:library:new',
        data: { libraryKey: '7', ratingKey: '99', title: 'A Show – Pilot', type: 'episode' },
      },
    },
  ])
})

test.each([
  ['media.play', 'plex:playback:start'],
  ['media.resume', 'plex:playback:start'],
  ['playback.started', 'plex:playback:start'],
  ['media.stop', 'plex:playback:stop'],
])('%s is told to admins alone as %s', async (event, live) => {
  const receiver = createReceiver()
  await receiver.webhooks.process(
    await stored(receiver, 'plex', event, { title: 'Up', user: 'elan', libraryKey: '1' }),
  )
  expect(receiver.seen.published).toEqual([
    {
      audience: { kind: 'admins' },
      event: { event: live, data: { title: 'Up', user: 'elan', libraryKey: '1' } },
    },
  ])
})

const repository = 'octo/cat'

test.each([
  [
    'push',
    { repository, branch: 'main', commits: 3 },
    'github:push',
    { repository, branch: 'main', commits: 3 },
  ],
  [
    'deployment_status',
    { repository, environment: 'production', state: 'success' },
    'github:deployment',
    { repository, environment: 'production', state: 'success' },
  ],
  [
    'deployment',
    { repository, environment: 'production' },
    'github:deployment',
    { repository, environment: 'production', state: 'created' },
  ],
  [
    'release',
    { repository, tag: 'v1', action: 'published' },
    'github:release',
    { repository, tag: 'v1', action: 'published' },
  ],
])('GitHub’s %s is told to admins', async (event, kept, live, data) => {
  const receiver = createReceiver()
  await receiver.webhooks.process(await stored(receiver, 'github', event, kept))
  expect(receiver.seen.published).toEqual([{ audience: { kind: 'admins' }, event: { event: live, data } }])
})

test('a generic event is told to admins with its source', async () => {
  const receiver = createReceiver()
  await receiver.webhooks.process(await stored(receiver, 'generic:ci', 'build.done'))
  expect(receiver.seen.published).toEqual([
    {
      audience: { kind: 'admins' },
      event: { event: 'webhook:generic', data: { source: 'ci', event: 'build.done' } },
    },
  ])
})
