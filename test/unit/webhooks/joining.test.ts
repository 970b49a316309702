import { expect, test } from 'vitest'

import { accept, byStandard, push } from './posts.ts'
import {
  createReceiver,
  fromGitHub,
  fromOverseerr,
  fromPlex,
  overseerrPayload,
  plexPayload,
  secrets,
} from './receiver.ts'

test('a redelivery of the same bytes joins the first one for a day, under whatever event and id', async () => {
  const receiver = createReceiver()
  const first = await accept(receiver, fromGitHub('push', push))
  receiver.clock.now += 24 * 3_600_000 - 1
  const again = await accept(receiver, fromGitHub('release', push))
  expect(again).toEqual({ id: first.id, status: 'duplicate', joined: first.id, because: 'same-body' })
  receiver.clock.now += 2
  expect(await accept(receiver, fromGitHub('push', push))).toMatchObject({ status: 'stored' })
  expect(receiver.rows.size).toBe(2)
})

test('a redelivery of what is dead is a new delivery', async () => {
  const receiver = createReceiver()
  await accept(receiver, fromGitHub('push', push))
  await receiver.webhooks.dead(receiver.seen.queued[0] ?? 0)
  expect(await accept(receiver, fromGitHub('push', push))).toMatchObject({ status: 'stored' })
})

test('a Standard Webhook joins by its signed id, and one source never joins another’s', async () => {
  const key = secrets.generic.ci[0] ?? ''
  const receiver = createReceiver({ secrets: { ...secrets, generic: { ci: [key], cd: [key] } } })
  const first = await accept(receiver, byStandard('{"type":"build"}'))
  receiver.clock.now += 60_000
  const retry = byStandard('{"type":"build","try":2}', { at: receiver.clock.now })
  expect(await accept(receiver, retry)).toMatchObject({ joined: first.id, because: 'same-id' })
  expect(await accept(receiver, byStandard('{"type":"build"}', { name: 'cd' }))).toMatchObject({
    status: 'stored',
  })
  expect(await accept(receiver, byStandard('{"type":"build"}', { id: 'msg_2' }))).toMatchObject({
    status: 'stored',
  })
})

test('Overseerr’s repeats join for ten minutes, by what they tell', async () => {
  const receiver = createReceiver()
  const first = await accept(receiver, fromOverseerr(overseerrPayload('MEDIA_AVAILABLE')))
  receiver.clock.now += 599_999
  const reworded = overseerrPayload('MEDIA_AVAILABLE', { message: 'Other words', image: 'other.jpg' })
  expect(await accept(receiver, fromOverseerr(reworded))).toMatchObject({
    joined: first.id,
    because: 'same-event',
  })

  const media = { media_type: 'movie', tmdbId: '603', tvdbId: '', status: 'AVAILABLE', status4k: 'AVAILABLE' }
  const others = [
    overseerrPayload('MEDIA_APPROVED'),
    overseerrPayload('MEDIA_AVAILABLE', { media }),
    overseerrPayload('MEDIA_AVAILABLE', { request: { request_id: '13' } }),
    overseerrPayload('MEDIA_AVAILABLE', { extra: [{ name: 'Requested Seasons', value: '2' }] }),
  ]
  for (const other of others)
    expect(await accept(receiver, fromOverseerr(other))).toMatchObject({ status: 'stored' })

  receiver.clock.now += 2
  expect(await accept(receiver, fromOverseerr(overseerrPayload('MEDIA_AVAILABLE')))).toMatchObject({
    status: 'stored',
  })
})

test('Plex’s twins join for a minute: two names of one start, two accounts of one new item', async () => {
  const receiver = createReceiver()
  const play = await accept(receiver, fromPlex(plexPayload('media.play')))
  expect(await accept(receiver, fromPlex(plexPayload('playback.started')))).toMatchObject({ joined: play.id })
  const other = { Account: { id: 2, title: 'other' } }
  expect(await accept(receiver, fromPlex(plexPayload('media.play', other)))).toMatchObject({
    status: 'stored',
  })

  const added = await accept(receiver, fromPlex(plexPayload('library.new')))
  expect(await accept(receiver, fromPlex(plexPayload('library.new', other)))).toMatchObject({
    joined: added.id,
  })
  receiver.clock.now += 60_001
  expect(await accept(receiver, fromPlex(plexPayload('library.new')))).toMatchObject({ status: 'stored' })
})
