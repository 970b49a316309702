import { evictDurableObject, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test } from 'vitest'

import { createBreaker } from '../../../src/platform/breaker.ts'

const policy = { threshold: 5, windowMs: 300_000, openMs: 300_000, probeMs: 10_000 }
const start = Date.UTC(2026, 0, 1)
const newBreaker = () => env.CIRCUIT_BREAKER.getByName(crypto.randomUUID())
type Breaker = ReturnType<typeof newBreaker>

async function fail(breaker: Breaker, now: number, times = 1): Promise<void> {
  for (let i = 0; i < times; i += 1) {
    const { admission } = await breaker.admit(policy, now)
    if (!admission.admitted) throw new Error('refused')
    await breaker.settle({ ticket: admission.ticket, ok: false }, policy, now)
  }
}

test('it opens at exactly the fifth failure, and stays open for five minutes', async () => {
  const breaker = newBreaker()
  await fail(breaker, start, 4)
  expect((await breaker.state()).kind).toBe('closed')
  await fail(breaker, start)
  expect(await breaker.state()).toMatchObject({ kind: 'open', until: start + 300_000 })
  const { admission } = await breaker.admit(policy, start + 299_999)
  expect(admission).toEqual({ admitted: false, retryAfterMs: 1 })
})

test('failures at the same time all count, and those that come after the fifth change nothing', async () => {
  const breaker = newBreaker()
  const tickets = await Promise.all(
    Array.from({ length: 20 }, async () => (await breaker.admit(policy, start)).admission),
  )
  await Promise.all(
    tickets.flatMap((admission, i) =>
      admission.admitted ? [breaker.settle({ ticket: admission.ticket, ok: false }, policy, start + i)] : [],
    ),
  )
  const state = await breaker.state()
  expect(state).toMatchObject({ kind: 'open', failedProbes: 0, generation: 1 })
})

test('of a hundred who come when its time is up one may probe, and its success lets all in', async () => {
  const breaker = newBreaker()
  await fail(breaker, start, 5)
  const now = start + 300_000
  const answers = await Promise.all(Array.from({ length: 100 }, () => breaker.admit(policy, now)))
  const admitted = answers.flatMap(({ admission }) => (admission.admitted ? [admission] : []))
  expect(admitted).toEqual([{ admitted: true, probe: true, ticket: 2 }])
  await breaker.settle({ ticket: 2, ok: true }, policy, now)
  expect((await breaker.admit(policy, now)).admission).toMatchObject({ admitted: true, probe: false })
})

test('a probe that fails opens it anew, and one that never reports lapses', async () => {
  const breaker = newBreaker()
  await fail(breaker, start, 5)
  await fail(breaker, start + 300_000)
  expect(await breaker.state()).toMatchObject({ kind: 'open', until: start + 600_000, failedProbes: 1 })
  const silent = await breaker.admit(policy, start + 600_000)
  expect(silent.admission).toMatchObject({ admitted: true, probe: true })
  expect((await breaker.admit(policy, start + 609_999)).admission.admitted).toBe(false)
  expect((await breaker.admit(policy, start + 610_000)).admission).toMatchObject({
    admitted: true,
    probe: true,
  })
})

test('it is still open after an eviction, and so is a probe still out', async () => {
  const breaker = newBreaker()
  await fail(breaker, start, 4)
  await evictDurableObject(breaker)
  await fail(breaker, start)
  await evictDurableObject(breaker)
  expect((await breaker.admit(policy, start + 1_000)).admission.admitted).toBe(false)
  expect((await breaker.admit(policy, start + 300_000)).admission.admitted).toBe(true)
  await evictDurableObject(breaker)
  expect((await breaker.admit(policy, start + 300_001)).admission.admitted).toBe(false)
})

test('a success that was admitted before it opened proves nothing', async () => {
  const breaker = newBreaker()
  const { admission } = await breaker.admit(policy, start)
  await fail(breaker, start, 5)
  if (admission.admitted) await breaker.settle({ ticket: admission.ticket, ok: true }, policy, start)
  expect((await breaker.state()).kind).toBe('open')
})

test('what another version has stored is as good as nothing', async () => {
  const breaker = newBreaker()
  await runInDurableObject(breaker, (_, { storage }) => storage.kv.put('breaker', { open: true }))
  expect((await breaker.admit(policy, start)).admission.admitted).toBe(true)
  await fail(breaker, start, 5)
  expect((await breaker.state()).kind).toBe('open')
})

test('one upstream’s failures are no other’s', async () => {
  const [one, other] = [newBreaker(), newBreaker()]
  await fail(one, start, 5)
  expect((await other.admit(policy, start)).admission.admitted).toBe(true)
})

test('isolates that share it send one probe between them', async () => {
  const name = crypto.randomUUID()
  let now = start
  const isolates = Array.from({ length: 10 }, () =>
    createBreaker(env.CIRCUIT_BREAKER, name, policy, () => now),
  )
  for (const isolate of isolates.slice(0, 5)) {
    const admission = await isolate.admit()
    if (admission.admitted) await isolate.settle({ ticket: admission.ticket, ok: false })
  }
  now += 300_000
  const admissions = await Promise.all(
    isolates.flatMap((isolate) => Array.from({ length: 10 }, () => isolate.admit())),
  )
  const [probe, ...more] = admissions.filter(({ admitted }) => admitted)
  expect(probe).toMatchObject({ probe: true })
  expect(more).toEqual([])
})
