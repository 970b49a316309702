import { expect, test } from 'vitest'

import { Problem } from '#contract/problem.ts'

import { showDeliveryId } from '../../../src/webhooks/delivery-id.ts'
import { createReceiver, start } from './receiver.ts'
import { movie, stored } from './stored.ts'

test('a delivery that comes twice, or twice at once, is told once', async () => {
  const receiver = createReceiver()
  const id = await stored(receiver, 'overseerr', 'MEDIA_AVAILABLE', movie)
  await Promise.all([receiver.webhooks.process(id), receiver.webhooks.process(id)])
  await receiver.webhooks.process(id)
  expect(receiver.seen.published).toHaveLength(1)
})

test('a delivery that is not there any more is done', async () => {
  expect(await createReceiver().webhooks.process(1)).toEqual({ done: true })
})

test('while Plex is down nothing is told and nothing is lost, and each wait is twice the last', async () => {
  let down = true
  const effects = {
    invalidate: async () => undefined,
    async scan() {
      if (down) throw new Problem('plex-unavailable', { members: { retryAfter: 5 } })
    },
    publish: async () => void told.push('told'),
  }
  const told: string[] = []
  const receiver = createReceiver({ effects })
  const id = await stored(receiver, 'overseerr', 'MEDIA_AVAILABLE', movie)
  for (const retryAfterSeconds of [5, 10, 20, 40, 80, 160, 300, 300]) {
    expect(await receiver.webhooks.process(id)).toEqual({ done: false, retryAfterSeconds })
  }
  expect(receiver.rows.get(id)).toMatchObject({
    status: 'retrying',
    attempts: 8,
    outcome: 'plex-unavailable',
  })
  expect(told).toEqual([])

  down = false
  expect(await receiver.webhooks.process(id)).toEqual({ done: true })
  expect(receiver.rows.get(id)).toMatchObject({ status: 'processed', attempts: 9 })
  expect(told).toEqual(['told'])
})

test('a store that fails is tried again too', async () => {
  const { store } = createReceiver()
  const broken = () => Promise.reject(new Error('D1 is away'))
  const { webhooks } = createReceiver({ store: { ...store, find: broken, recordFailure: broken } })
  expect(await webhooks.process(1)).toEqual({ done: false, retryAfterSeconds: 5 })
})

test('an event that could not be told is not told again, and the log says so', async () => {
  const effects = {
    invalidate: async () => undefined,
    scan: async () => undefined,
    publish: () => Promise.reject(new Error('no room: token=abc')),
  }
  const receiver = createReceiver({ effects })
  const id = await stored(receiver, 'generic:ci', 'build.done')
  expect(await receiver.webhooks.process(id)).toEqual({ done: true })
  expect(receiver.rows.get(id)).toMatchObject({ status: 'processed' })
  expect(receiver.seen.log.slice(-1)).toEqual([
    {
      level: 'warn',
      event: 'webhook-not-published',
      fields: { delivery: showDeliveryId(id), cause: 'Error' },
    },
  ])
})

test('what the queue gave up is dead with its last reason, until an admin replays it', async () => {
  let down = true
  const effects = {
    invalidate: async () => undefined,
    scan: () => (down ? Promise.reject(new TypeError('fetch failed')) : Promise.resolve()),
    publish: async () => undefined,
  }
  const receiver = createReceiver({ effects })
  const id = await stored(receiver, 'overseerr', 'MEDIA_AVAILABLE', movie)
  await receiver.webhooks.process(id)
  await receiver.webhooks.dead(id)
  expect(receiver.rows.get(id)).toMatchObject({ status: 'dead', outcome: 'TypeError', attempts: 1 })
  expect(await receiver.webhooks.process(id)).toEqual({ done: true })
  expect(receiver.rows.get(id)?.status).toBe('dead')

  down = false
  const reopened = await receiver.webhooks.replay(showDeliveryId(id), 'admin-1')
  expect(reopened).toMatchObject({ id, status: 'stored', attempts: 0 })
  expect(receiver.seen.queued).toEqual([id])
  expect(receiver.seen.audit).toEqual([
    { actor: 'admin-1', action: 'webhook.replay', target: showDeliveryId(id) },
  ])
  await receiver.webhooks.process(id)
  expect(receiver.rows.get(id)).toMatchObject({ status: 'processed', attempts: 1 })
})

test('a processed delivery that reaches the dead-letter queue stays processed', async () => {
  const receiver = createReceiver()
  const id = await stored(receiver, 'generic:ci', 'build.done')
  await receiver.webhooks.process(id)
  await receiver.webhooks.dead(id)
  expect(receiver.rows.get(id)?.status).toBe('processed')
})

test('the sweep queues again what waits for longer than a minute, and leaves retries to the queue for ten', async () => {
  const receiver = createReceiver()
  const old = await stored(receiver, 'generic:ci', 'lost')
  const done = await stored(receiver, 'generic:ci', 'done')
  const retrying = await stored(receiver, 'generic:ci', 'retrying')
  await receiver.webhooks.process(done)
  await receiver.store.recordFailure(retrying, 'timeout')
  receiver.clock.now = start + 61_000
  await stored(receiver, 'generic:ci', 'young', {}, start + 30_000)
  expect(await receiver.webhooks.sweep()).toBe(1)
  expect(receiver.seen.queued).toEqual([old])

  await receiver.webhooks.process(old)
  receiver.clock.now = start + 601_000
  expect(await receiver.webhooks.sweep()).toBe(2)
  expect(receiver.seen.queued).toContain(retrying)

  receiver.clock.now = start + 25 * 3_600_000
  expect(await receiver.webhooks.sweep()).toBe(0)
})

test.each(['wh_1', 'nonsense', 'wh_../x'])('there is no delivery %s to read or replay', async (id) => {
  const receiver = createReceiver()
  await expect(receiver.webhooks.read(id)).rejects.toMatchObject({ code: 'not-found' })
  await expect(receiver.webhooks.replay(id, 'admin-1')).rejects.toMatchObject({ code: 'not-found' })
  expect(receiver.seen.audit).toEqual([])
})
