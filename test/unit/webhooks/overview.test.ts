import { expect, test } from 'vitest'

import { createReceiver, start } from './receiver.ts'
import { stored } from './stored.ts'

test('the stats count the last day by source and status, and name sources that sent nothing', async () => {
  const receiver = createReceiver()
  await stored(receiver, 'generic:ci', 'x', {}, start - 25 * 3_600_000)
  await receiver.webhooks.process(await stored(receiver, 'generic:ci', 'x', {}, start - 5_000))
  await stored(receiver, 'generic:ci', 'x', {}, start - 3_000)
  await stored(receiver, 'generic:gone', 'x', {}, start - 2_000)
  const { since, sources } = await receiver.webhooks.stats()
  expect(since).toBe(new Date(start - 24 * 3_600_000).toISOString())
  expect(sources.find(({ source }) => source === 'generic:ci')).toEqual({
    source: 'generic:ci',
    total: 2,
    lastReceivedAt: new Date(start - 3_000).toISOString(),
    statuses: { stored: 1, processed: 1, ignored: 0, retrying: 0, dead: 0 },
  })
  expect(sources.find(({ source }) => source === 'plex')).toMatchObject({ total: 0 })
  expect(sources.map(({ source }) => source)).toContain('generic:gone')
})

test('health is good while nothing waits for long, and degraded by a backlog or a dead one', async () => {
  const receiver = createReceiver()
  const id = await stored(receiver, 'generic:ci', 'x', {}, start)
  receiver.clock.now = start + 120_000
  expect(await receiver.webhooks.health()).toMatchObject({ status: 'healthy', backlog: 0, dead: 0 })
  receiver.clock.now = start + 120_001
  expect(await receiver.webhooks.health()).toMatchObject({ status: 'degraded', backlog: 1, dead: 0 })
  await receiver.webhooks.dead(id)
  expect(await receiver.webhooks.health()).toMatchObject({ status: 'degraded', backlog: 0, dead: 1 })
})

test('health says which sources can be verified, and is unknown when none can', async () => {
  const { sources, status } = await createReceiver().webhooks.health()
  expect(status).toBe('healthy')
  expect(sources).toContainEqual({ source: 'plex', configured: true })
  expect(sources).toContainEqual({ source: 'generic:empty', configured: false })
  const none = createReceiver({ secrets: { plex: [], overseerr: [], github: [], generic: {} } })
  expect(await none.webhooks.health()).toMatchObject({ status: 'unknown' })
})

test('an answer that may be old costs the store nothing while it is young enough', async () => {
  let reads = 0
  const { store } = createReceiver()
  const receiver = createReceiver({
    store: {
      ...store,
      async tally() {
        reads++
        return []
      },
    },
  })
  await receiver.webhooks.health(5_000)
  receiver.clock.now += 4_999
  await receiver.webhooks.health(5_000)
  expect(reads).toBe(1)
  receiver.clock.now += 1
  await receiver.webhooks.health(5_000)
  await receiver.webhooks.health()
  expect(reads).toBe(3)
})

test('deliveries are paged, newest first', async () => {
  const receiver = createReceiver()
  for (let index = 0; index < 5; index++) await stored(receiver, 'generic:ci', 'x', {}, start + index)
  const { deliveries, meta } = await receiver.webhooks.list({ page: 2, limit: 2, source: 'generic:ci' })
  expect(meta).toEqual({ page: 2, limit: 2, total: 5, totalPages: 3 })
  expect(deliveries.map(({ id }) => Math.floor(id / 1_024) - start)).toEqual([2, 1])
})
