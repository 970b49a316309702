import { expect, test } from 'vitest'

import { createBulkhead } from '#resilience/bulkhead.ts'

import { reply, startServer } from './http-server.ts'
import { createWorld, get, ok } from './upstream-world.ts'

test('the circuit opens at exactly the fifth failed attempt, and then nothing goes out', async () => {
  await using server = await startServer(reply(500))
  const { failureOf, breaker, clock } = createWorld()
  await failureOf(get(server.url))
  expect([server.asked(), breaker.state().kind]).toEqual([3, 'closed'])
  // The third try of this one is refused by the circuit that its second has opened.
  expect((await failureOf(get(server.url)))?.kind).toBe('open')
  expect([server.asked(), breaker.state().kind]).toEqual([5, 'open'])
  expect(await failureOf(get(server.url))).toEqual({ kind: 'open', retryAfterMs: 298_000 })
  clock.now += 297_999
  expect((await failureOf(get(server.url)))?.kind).toBe('open')
  expect(server.asked()).toBe(5)
})

test('after its time one call of a hundred goes out, and its success closes the circuit', async () => {
  await using server = await startServer(reply(500), (_request, response) => {
    setTimeout(() => response.end('fine'), 20)
  })
  const { failureOf, breaker, clock } = createWorld({ bulkhead: createBulkhead(100) }, 1)
  await failureOf({ ...get(server.url), method: 'POST' })
  clock.now += 300_000
  const kinds = await Promise.all(Array.from({ length: 100 }, () => failureOf(get(server.url))))
  expect(kinds.filter((failure) => failure === undefined)).toHaveLength(1)
  expect(kinds.filter((failure) => failure?.kind === 'open')).toHaveLength(99)
  expect(server.asked()).toBe(2)
  expect(breaker.state().kind).toBe('closed')
  expect(await failureOf(get(server.url))).toBeUndefined()
})

test('a probe that meets a mere 404 has found the upstream well', async () => {
  await using server = await startServer(reply(500), reply(404))
  const { upstream, failureOf, breaker, clock } = createWorld({}, 1)
  await failureOf({ ...get(server.url), method: 'POST' })
  clock.now += 300_000
  expect((await upstream.call(get(server.url))).status).toBe(404)
  expect(breaker.state().kind).toBe('closed')
})

test('a full bulkhead is waited at, and refuses in the end without a word against the upstream', async () => {
  await using server = await startServer(ok)
  const bulkhead = createBulkhead(1)
  const leave = bulkhead.tryEnter()
  const { failureOf, breaker, clock } = createWorld({ bulkhead })
  expect(await failureOf(get(server.url))).toEqual({ kind: 'busy' })
  expect(clock.now - 1_000_000).toBeGreaterThanOrEqual(2_000)
  expect(clock.now - 1_000_000).toBeLessThan(2_100)
  expect([server.asked(), breaker.reports]).toEqual([0, []])
  leave?.()
  expect(await failureOf(get(server.url))).toBeUndefined()
})

test('a place that falls free while it is waited for is taken', async () => {
  await using server = await startServer(ok)
  const bulkhead = createBulkhead(1)
  const leave = bulkhead.tryEnter()
  let looks = 0
  const { failureOf } = createWorld({
    bulkhead,
    sleep: async () => {
      looks += 1
      if (looks === 3) leave?.()
    },
  })
  expect(await failureOf(get(server.url))).toBeUndefined()
  expect(looks).toBe(3)
})

test('no more calls are out at once than there are places', async () => {
  let out = 0
  let most = 0
  await using server = await startServer((_request, response) => {
    out += 1
    most = Math.max(most, out)
    setTimeout(() => {
      out -= 1
      response.end()
    }, 15)
  })
  const { failureOf } = createWorld({
    bulkhead: createBulkhead(3),
    now: () => performance.now(),
    sleep: (ms) => new Promise((resolve) => void setTimeout(resolve, ms)),
  })
  const failures = await Promise.all(Array.from({ length: 12 }, () => failureOf(get(server.url))))
  expect(failures).toEqual(Array(12).fill(undefined))
  expect(most).toBe(3)
})
