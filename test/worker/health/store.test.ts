import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { expect, test } from 'vitest'

import { serviceNames } from '#contract/health.ts'

import type { Sample } from '../../../src/health/ports.ts'
import { createHealthStore } from '../../../src/platform/health-store.ts'

const store = createHealthStore(drizzle(env.DB))
const minute = 60_000
const start = 1_800_000_000_000

const round = (at: number): Sample[] =>
  serviceNames.map((service) =>
    service === 'plex'
      ? { service, at, status: 'unhealthy', cause: 'timeout', latencyMs: 1.5 }
      : { service, at, status: 'healthy' },
  )

test('samples come back as they were recorded, newest first or by service oldest first', async () => {
  await store.record(round(start), 0)
  await store.record(round(start + minute), 0)
  const recent = await store.recent(1)
  expect(recent).toHaveLength(serviceNames.length)
  expect(recent.toReversed()).toEqual(round(start + minute))
  const plex = (at: number) => round(at).filter(({ service }) => service === 'plex')
  expect(await store.history('plex', start)).toEqual([...plex(start), ...plex(start + minute)])
  expect(await store.history('plex', start + 1)).toEqual(plex(start + minute))
})

test('a round told twice is one round', async () => {
  const at = start + 10 * minute
  await store.record(round(at), 0)
  await store.record(round(at), 0)
  expect(await store.history('cache', at)).toHaveLength(1)
})

test('a round writes one row a service, and drops what is too old', async () => {
  const at = start + 20 * minute
  await store.record(round(at - 5 * minute), 0)
  await store.record(round(at), at - minute)
  const { results } = await env.DB.prepare('select count(*) as rows from health_samples').all()
  expect(results).toEqual([{ rows: serviceNames.length }])
  expect(await store.recent(10)).toHaveLength(serviceNames.length)
})
