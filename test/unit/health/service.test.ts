import { setImmediate } from 'node:timers/promises'

import { expect, test } from 'vitest'

import { serviceNames, type ServiceName } from '../../../src/contract/health.ts'
import type { LiveEvent } from '../../../src/contract/live.ts'
import type { HealthDependencies, Probed, Sample } from '../../../src/health/ports.ts'
import { createHealth } from '../../../src/health/service.ts'
import type { Caller } from '../../../src/http/env.ts'

const minute = 60_000
const user: Caller = { userId: '1', sessionId: 's', role: 'user', scope: '1.1' }
const admin: Caller = { ...user, role: 'admin' }
const down: Probed = { status: 'unhealthy', cause: 'unreachable' }

function setUp({ wait = () => new Promise(() => {}) }: Partial<Pick<HealthDependencies, 'wait'>> = {}) {
  const clock = { now: 1_800_000_000_000 }
  const rows: Sample[] = []
  const events: LiveEvent[] = []
  const database = { broken: false, reads: 0, forgotBefore: 0 }
  const answers = new Map<ServiceName, () => Promise<Probed>>()
  const ask = (service: ServiceName) =>
    answers.get(service)?.() ?? Promise.resolve<Probed>({ status: 'healthy' })
  const open = () => {
    if (database.broken) throw new Error('no database')
  }
  const health = createHealth({
    probes: {
      plex: () => ask('plex'),
      'plex-tv': () => ask('plex-tv'),
      database: () => ask('database'),
      cache: () => ask('cache'),
      webhooks: () => ask('webhooks'),
      downloader: () => ask('downloader'),
    },
    store: {
      async record(samples, forgetBefore) {
        open()
        rows.push(...samples)
        database.forgotBefore = forgetBefore
      },
      async recent(rounds) {
        open()
        database.reads += 1
        return rows.slice(-rounds * serviceNames.length).toReversed()
      },
      async history(service, since) {
        open()
        return rows.filter((row) => row.service === service && row.at >= since)
      },
    },
    publish: async (audience, event) => {
      expect(audience).toEqual({ kind: 'admins' })
      events.push(event)
    },
    log: () => {},
    now: () => clock.now,
    wait,
  })
  const rounds = async (count: number) => {
    for (let round = 0; round < count; round += 1) {
      await health.round()
      clock.now += minute
    }
  }
  const changes = (service: ServiceName) =>
    events.flatMap((event) =>
      event.event === 'health:changed' && event.data.service === service
        ? [`${event.data.from} → ${event.data.to}`]
        : [],
    )
  const answer = (service: ServiceName, probed: Probed) => answers.set(service, async () => probed)
  return { health, rows, database, answers, answer, rounds, changes, clock }
}

test('a round is one sample for each service', async () => {
  const { health, rows, database, clock } = setUp()
  await health.round()
  expect(rows.map(({ service }) => service)).toEqual([...serviceNames])
  expect(database.forgotBefore).toBe(clock.now - 48 * 60 * minute)
})

test('the public learns how the whole is and nothing else', async () => {
  const { health, rounds, answer } = setUp()
  answer('cache', { status: 'degraded', cause: 'slow' })
  await rounds(1)
  expect(await health.system(undefined)).toEqual({ status: 'degraded' })
})

test('users see services, admins also causes', async () => {
  const { health, rounds, answer } = setUp()
  answer('plex', { ...down, latencyMs: 12 })
  await rounds(1)
  const plex = { service: 'plex', status: 'unhealthy', latencyMs: 12, checkedAt: '2027-01-15T08:00:00.000Z' }
  const forUser = await health.system(user)
  expect(forUser.status).toBe('unhealthy')
  expect(forUser.services?.[0]).toEqual(plex)
  expect(forUser.services).toHaveLength(serviceNames.length)
  expect((await health.system(admin)).services?.[0]).toEqual({ ...plex, cause: 'unreachable' })
})

test('what was last seen more than three minutes ago is unknown', async () => {
  const { health, clock } = setUp()
  await health.round()
  clock.now += 3 * minute
  expect((await health.system(user)).status).toBe('healthy')
  clock.now += 1
  const stale = await health.system(user)
  expect(stale.status).toBe('unknown')
  expect(stale.services?.[0]).toEqual({
    service: 'plex',
    status: 'unknown',
    checkedAt: '2027-01-15T08:00:00.000Z',
  })
})

test('before the first round nothing is known', async () => {
  expect((await setUp().health.system(user)).services).toEqual(
    serviceNames.map((service) => ({ service, status: 'unknown' })),
  )
})

test('many questions within seconds are one read', async () => {
  const { health, database, clock } = setUp()
  await health.round()
  database.reads = 0
  for (let count = 0; count < 10; count += 1) await health.system(undefined)
  expect(database.reads).toBe(1)
  clock.now += 5_000
  await health.system(undefined)
  expect(database.reads).toBe(2)
})

test('admins are told once that a service is down, and once that it is up again', async () => {
  const { rounds, answer, changes } = setUp()
  await rounds(4)
  expect(changes('plex')).toEqual(['unknown → healthy'])
  answer('plex', down)
  await rounds(2)
  expect(changes('plex')).toHaveLength(1)
  await rounds(5)
  expect(changes('plex').slice(1)).toEqual(['healthy → unhealthy'])
  answer('plex', { status: 'healthy' })
  await rounds(1)
  expect(changes('plex')).toHaveLength(2)
  await rounds(30)
  expect(changes('plex').slice(2)).toEqual(['unhealthy → healthy'])
})

test('the database is reported down though it can keep no samples', async () => {
  const { health, rounds, answer, changes, database } = setUp()
  await rounds(3)
  answer('database', down)
  database.broken = true
  await rounds(6)
  expect(changes('database').slice(1)).toEqual(['healthy → unhealthy'])
  const answered = await health.system(admin)
  expect(answered.status).toBe('unhealthy')
  expect(answered.services?.find(({ service }) => service === 'database')).toMatchObject(down)
  database.broken = false
  answer('database', { status: 'healthy' })
  await rounds(3)
  expect(changes('database').slice(2)).toEqual(['unhealthy → healthy'])
})

test('a probe that hangs is a time-out, and one that throws is an error', async () => {
  const { health, answers, rows } = setUp({
    wait: (ms) => {
      expect(ms).toBe(5_000)
      return setImmediate()
    },
  })
  answers.set('plex', () => new Promise(() => {}))
  answers.set('cache', () => Promise.reject(new Error('broken')))
  await health.round()
  const found = (service: ServiceName) => rows.find((row) => row.service === service)
  expect(found('plex')).toMatchObject({ status: 'unhealthy', cause: 'timeout' })
  expect(found('cache')).toMatchObject({ status: 'unhealthy', cause: 'error' })
})

test('latency is what the probe says, or else what it took', async () => {
  const { health, answers, answer, rows, clock } = setUp()
  answer('cache', { status: 'healthy', latencyMs: 3 })
  answers.set('plex', async () => {
    clock.now += 40
    return { status: 'healthy' }
  })
  await health.round()
  const latency = (service: ServiceName) => rows.find((row) => row.service === service)?.latencyMs
  expect([latency('cache'), latency('plex')]).toEqual([3, 40])
})

test('a history has its numbers, and its causes for admins only', async () => {
  const { health, rounds, answer } = setUp()
  answer('plex', { status: 'healthy', latencyMs: 10 })
  await rounds(2)
  answer('plex', { ...down, latencyMs: 90 })
  await rounds(2)
  const seen = await health.service(user, 'plex', 1)
  expect(seen).toMatchObject({
    service: 'plex',
    status: 'unhealthy',
    hours: 1,
    samples: 4,
    uptimePercent: 50,
    latency: { p50Ms: 10, p95Ms: 90 },
  })
  expect(seen.points).toHaveLength(4)
  expect(JSON.stringify(seen)).not.toContain('unreachable')
  const whole = await health.service(admin, 'plex', 1)
  expect(whole.points.at(-1)).toEqual({
    at: '2027-01-15T08:03:00.000Z',
    status: 'unhealthy',
    latencyMs: 90,
    cause: 'unreachable',
  })
  expect(whole).toMatchObject({ cause: 'unreachable' })
})

test('a long history is at most a few hundred points', async () => {
  const { health, rows, clock } = setUp()
  for (let age = 48 * 60; age > 0; age -= 1)
    rows.push({ service: 'plex', status: 'healthy', at: clock.now - age * minute })
  const { points, samples } = await health.service(user, 'plex', 48)
  expect(samples).toBe(2_880)
  expect(points.length).toBeLessThanOrEqual(241)
})
