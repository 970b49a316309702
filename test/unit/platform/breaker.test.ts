import { expect, test } from 'vitest'

import { admit, initialBreaker, settle, type BreakerState } from '#resilience/breaker.ts'

import { createBreaker } from '../../../src/platform/breaker.ts'

const policy = { threshold: 2, windowMs: 300_000, openMs: 300_000, probeMs: 10_000 }

/** The object behind the breaker, how often it is asked, and a switch that takes it away. */
function createWorld() {
  const world: { now: number; asked: number; isAway: boolean; state: BreakerState } = {
    now: 1_000_000,
    asked: 0,
    isAway: false,
    state: initialBreaker,
  }
  const answer = <T>(value: () => T): Promise<T> => {
    world.asked += 1
    return world.isAway ? Promise.reject(new Error('the object is away')) : Promise.resolve(value())
  }
  const object = {
    admit: () =>
      answer(() => {
        const [admission, state] = admit(world.state, policy, world.now)
        world.state = state
        return { admission, state }
      }),
    settle: (report: { ticket: number; ok: boolean }) =>
      answer(() => {
        world.state = settle(world.state, report, policy, world.now)
        return world.state
      }),
    state: () => answer(() => world.state),
  }
  const namespace = { getByName: () => object }
  return { world, create: () => createBreaker(namespace, 'plex:test', policy, () => world.now) }
}

async function fail(breaker: ReturnType<typeof createBreaker>) {
  const admission = await breaker.admit()
  if (admission.admitted) await breaker.settle({ ticket: admission.ticket, ok: false })
  return admission
}

test('a healthy path asks the object once in five seconds', async () => {
  const { world, create } = createWorld()
  const breaker = create()
  for (let i = 0; i < 50; i += 1) {
    expect((await breaker.admit()).admitted).toBe(true)
    world.now += 100
  }
  expect(world.asked).toBe(1)
  await breaker.admit()
  expect(world.asked).toBe(2)
})

test('a broken path does not ask at all until it may be probed', async () => {
  const { world, create } = createWorld()
  const breaker = create()
  await fail(breaker)
  await fail(breaker)
  const { asked } = world
  for (let i = 0; i < 50; i += 1) expect(await breaker.admit()).toMatchObject({ admitted: false })
  expect(world.asked).toBe(asked)
  world.now += 300_000
  expect(await breaker.admit()).toMatchObject({ admitted: true, probe: true })
})

test('what one isolate has found broken, another learns within five seconds', async () => {
  const { world, create } = createWorld()
  const [here, there] = [create(), create()]
  await there.admit()
  await fail(here)
  await fail(here)
  world.now += 5_000
  expect(await there.admit()).toEqual({ admitted: false, retryAfterMs: 295_000 })
})

test('of two isolates one probes', async () => {
  const { world, create } = createWorld()
  const [here, there] = [create(), create()]
  await fail(here)
  await fail(here)
  world.now += 300_000
  const admissions = await Promise.all([here.admit(), there.admit(), here.admit()])
  expect(admissions.filter(({ admitted }) => admitted)).toHaveLength(1)
})

test('without the object, calls go out on what was last known', async () => {
  const { world, create } = createWorld()
  const breaker = create()
  world.isAway = true
  expect(await breaker.admit()).toEqual({ admitted: true, ticket: 0, probe: false })
  await breaker.settle({ ticket: 0, ok: false })
  expect(await breaker.state()).toEqual(initialBreaker)
})
