import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { expect, test, vi } from 'vitest'

const newLimiter = () => env.RATE_LIMITER.getByName(crypto.randomUUID())
type Limiter = ReturnType<typeof newLimiter>

const minuteMs = 60_000
const signIn = { name: 'sign-in', limit: 10, windowMs: 15 * minuteMs }
const polls = { name: 'sign-in-poll', limit: 1_000, windowMs: 15 * minuteMs }

const stored = (limiter: Limiter) =>
  runInDurableObject(limiter, (_, { storage }) => Object.fromEntries(storage.kv.list()))
const alarmOf = (limiter: Limiter) => runInDurableObject(limiter, (_, { storage }) => storage.getAlarm())
/** On a busy machine the first of many attempts may be stored before the last has come. */
const written = (limiter: Limiter, count: number) =>
  vi.waitFor(
    async () =>
      expect(await stored(limiter)).toMatchObject({ 'window:sign-in': { times: { length: count } } }),
    { timeout: 5_000, interval: 50 },
  )

test('of 150 attempts at once exactly those allowed are admitted', async () => {
  const limiter = newLimiter()
  const now = Date.now()
  const answers = await Promise.all(Array.from({ length: 150 }, () => limiter.take(signIn, now)))
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(10)
})

test('a refusal says exactly how long to wait', async () => {
  const limiter = newLimiter()
  const now = Date.now()
  for (let attempt = 0; attempt < 10; attempt += 1) await limiter.take(signIn, now + attempt * 1_000)
  const refused = await limiter.take(signIn, now + 10_000)
  expect(refused).toMatchObject({ allowed: false, retryAfterMs: signIn.windowMs - 10_000 })
  expect(await limiter.peek(signIn, now + signIn.windowMs - 1)).toMatchObject({ allowed: false })
  expect(await limiter.take(signIn, now + signIn.windowMs)).toMatchObject({ allowed: true, remaining: 0 })
})

test('what counts under one name does not count under another', async () => {
  const limiter = newLimiter()
  const now = Date.now()
  for (let attempt = 0; attempt < 10; attempt += 1) await limiter.take(signIn, now)
  expect(await limiter.take(polls, now)).toMatchObject({ allowed: true, remaining: 999 })
  expect(await limiter.peek(signIn, now)).toMatchObject({ allowed: false })
})

test('what was spent is remembered across an eviction', async () => {
  const limiter = newLimiter()
  const now = Date.now()
  for (let attempt = 0; attempt < 7; attempt += 1) await limiter.take(signIn, now)
  await written(limiter, 7)
  await evictDurableObject(limiter)
  const answers = await Promise.all(Array.from({ length: 7 }, () => limiter.take(signIn, now)))
  expect(answers.filter(({ allowed }) => allowed)).toHaveLength(3)
})

test('the alarm of an evicted object does not wipe out what still counts', async () => {
  const limiter = newLimiter()
  const now = Date.now()
  await limiter.take(signIn, now - 14 * minuteMs)
  for (let attempt = 0; attempt < 9; attempt += 1) await limiter.take(signIn, now)
  await written(limiter, 10)
  await evictDurableObject(limiter)
  expect(await runDurableObjectAlarm(limiter)).toBe(true)
  expect(await limiter.peek(signIn, now)).toMatchObject({ allowed: false })
  expect(await alarmOf(limiter)).toBe(now + signIn.windowMs)
})

test('an idle object forgets itself, and starts anew when it is needed again', async () => {
  const limiter = newLimiter()
  const now = Date.now()
  await limiter.take(signIn, now - 20 * minuteMs)
  await limiter.take(polls, now - 16 * minuteMs)
  await runDurableObjectAlarm(limiter)
  expect(await stored(limiter)).toEqual({})
  expect(await alarmOf(limiter)).toBeNull()
  expect(await limiter.take(signIn, now)).toMatchObject({ allowed: true, remaining: 9 })
  expect(await alarmOf(limiter)).toBe(now + signIn.windowMs)
})

test('an alarm is set once, not with every attempt', async () => {
  const limiter = newLimiter()
  const now = Date.now()
  await limiter.take(signIn, now)
  const first = await alarmOf(limiter)
  await Promise.all(Array.from({ length: 20 }, (_, index) => limiter.take(polls, now + index)))
  expect(first).toBe(now + signIn.windowMs)
  expect(await alarmOf(limiter)).toBe(first)
})

test('looking leaves nothing behind', async () => {
  const limiter = newLimiter()
  expect(await limiter.peek(signIn)).toMatchObject({ allowed: true, remaining: 10 })
  expect(await stored(limiter)).toEqual({})
  expect(await alarmOf(limiter)).toBeNull()
})
