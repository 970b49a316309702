import { expect, test } from 'vitest'

import { UpstreamError } from '../../../src/platform/upstream.ts'
import { hang, reply, startServer } from './http-server.ts'
import { createWorld, get, ok } from './upstream-world.ts'

test('an answer comes with its status, type and bytes, and the breaker is not bothered', async () => {
  await using server = await startServer(ok)
  const { upstream, breaker } = createWorld()
  const answer = await upstream.call(get(server.url))
  expect([answer.status, answer.contentType, new TextDecoder().decode(answer.bytes)]).toEqual([
    200,
    'application/json',
    '{"ok":true}',
  ])
  expect(breaker.reports).toEqual([])
})

test('a read is tried again after a failure, each time after a longer wait', async () => {
  await using server = await startServer(reply(503), reply(500), ok)
  const { upstream, breaker, clock } = createWorld()
  expect((await upstream.call(get(server.url))).status).toBe(200)
  expect(server.asked()).toBe(3)
  expect(clock.slept).toEqual([1_000, 2_000])
  expect(breaker.reports.map((report) => report.ok)).toEqual([false, false])
})

for (const method of ['POST', 'PUT', 'DELETE'] as const) {
  test(`a ${method} is never repeated`, async () => {
    await using server = await startServer(reply(503), ok)
    const { failureOf } = createWorld()
    expect(await failureOf({ ...get(server.url), method })).toEqual({ kind: 'status', status: 503 })
    expect(server.asked()).toBe(1)
  })
}

for (const status of [200, 301, 400, 401, 403, 404, 409]) {
  test(`${status} is an answer: it is not repeated and says nothing against the upstream`, async () => {
    await using server = await startServer(reply(status, { location: '/elsewhere' }))
    const { upstream, breaker } = createWorld()
    expect((await upstream.call(get(server.url))).status).toBe(status)
    expect(server.asked()).toBe(1)
    expect(breaker.reports).toEqual([])
  })
}

test('a redirect is not followed', async () => {
  await using other = await startServer(ok)
  await using server = await startServer(reply(302, { location: other.url }))
  await createWorld().upstream.call({ ...get(server.url), headers: { 'x-plex-token': 'secret' } })
  expect(other.asked()).toBe(0)
})

test('429 is repeated when it was asked to, and does not count', async () => {
  await using server = await startServer(reply(429, { 'retry-after': '3' }), ok)
  const { upstream, breaker, clock } = createWorld()
  expect((await upstream.call(get(server.url))).status).toBe(200)
  expect(clock.slept).toEqual([3_000])
  expect(breaker.reports).toEqual([])
})

test('Retry-After may be a date', async () => {
  await using server = await startServer(reply(503, { 'retry-after': new Date(1_004_000).toUTCString() }), ok)
  const { upstream, clock } = createWorld()
  await upstream.call(get(server.url))
  expect(clock.slept).toEqual([4_000])
})

test('a wait that would pass the deadline is not begun', async () => {
  await using server = await startServer(reply(503, { 'retry-after': '60' }))
  const { failureOf, clock } = createWorld()
  expect(await failureOf(get(server.url))).toEqual({ kind: 'status', status: 503, retryAfterMs: 60_000 })
  expect([server.asked(), clock.slept]).toEqual([1, []])
})

test('nonsense in Retry-After is no wait', async () => {
  await using server = await startServer(reply(503, { 'retry-after': 'soon' }))
  const { failureOf } = createWorld({ retry: { tries: 1, baseMs: 1, maxDelayMs: 1 } })
  expect(await failureOf(get(server.url))).toEqual({ kind: 'status', status: 503 })
})

test('no upstream may keep its circuit open for a day by asking for it', async () => {
  await using server = await startServer(reply(503, { 'retry-after': '86400' }))
  const { failureOf, breaker, clock } = createWorld({}, 1)
  await failureOf(get(server.url))
  const state = breaker.state()
  expect(state.kind).toBe('open')
  if (state.kind === 'open') expect(state.until - clock.now).toBe(15 * 60_000)
})

test('what hangs is cut off, and counts as a time-out', async () => {
  await using server = await startServer(hang)
  const { failureOf, breaker } = createWorld({
    attemptTimeoutMs: 30,
    retry: { tries: 2, baseMs: 1, maxDelayMs: 1 },
  })
  expect(await failureOf(get(server.url))).toEqual({ kind: 'timeout' })
  expect(server.asked()).toBe(2)
  expect(breaker.reports.map((report) => report.ok)).toEqual([false, false])
})

test('an attempt gets no more time than the whole has left', async () => {
  await using server = await startServer(hang)
  const { failureOf } = createWorld({ attemptTimeoutMs: 60_000 })
  const started = performance.now()
  expect(await failureOf({ ...get(server.url), deadlineMs: 50 })).toEqual({ kind: 'timeout' })
  expect(performance.now() - started).toBeLessThan(5_000)
})

test('a body that stops in the middle is a failure of the network', async () => {
  await using server = await startServer((request, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('{"half":')
    setTimeout(() => request.socket.destroy(), 10)
  })
  const { failureOf, breaker } = createWorld()
  expect(await failureOf(get(server.url))).toEqual({ kind: 'network' })
  expect(breaker.reports).toHaveLength(3)
})

test('nobody there is a failure of the network', async () => {
  const server = await startServer(ok)
  await server[Symbol.asyncDispose]()
  expect(await createWorld().failureOf(get(server.url))).toEqual({ kind: 'network' })
})

test('a body is read up to its cap and no further, and that is nobody’s outage', async () => {
  await using server = await startServer(reply(200, {}, 'x'.repeat(2_000)))
  const { upstream, failureOf, breaker } = createWorld()
  expect(await failureOf({ ...get(server.url), maxBytes: 1_999 })).toEqual({ kind: 'too-large' })
  expect(server.asked()).toBe(1)
  expect(breaker.reports).toEqual([])
  expect((await upstream.call({ ...get(server.url), maxBytes: 2_000 })).bytes).toHaveLength(2_000)
})

test('a server that is starting up is neither repeated nor counted', async () => {
  const page = '<?xml version="1.0"?><Response code="503" title="Maintenance" status="Starting"/>'
  await using server = await startServer(reply(503, { 'content-type': 'text/xml' }, page))
  const { failureOf, breaker } = createWorld()
  expect(await failureOf(get(server.url))).toEqual({ kind: 'maintenance', retryAfterMs: 10_000 })
  expect(server.asked()).toBe(1)
  expect(breaker.reports).toEqual([])
})

test('what a failure says is nothing of theirs', async () => {
  await using server = await startServer(reply(500, {}, 'database password is hunter2'))
  const { upstream } = createWorld()
  const error = await upstream.call(get(server.url)).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(UpstreamError)
  expect(String(error)).toBe('UpstreamError: status 500')
})
