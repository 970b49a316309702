import { expect, test } from 'vitest'
import * as z from 'zod'

import { examples } from '../access/examples.ts'
import { ask, expectProblem, freshAddress } from '../support/client.ts'
import { requestFor, routes } from '../support/operations.ts'
import { member } from '../support/sessions.ts'

const owner = await member('olivia')

const Errors = z.array(z.object({ pointer: z.string(), detail: z.string() }))
const pointersOf = async (response: Response) => {
  const { errors } = await expectProblem(response, 'invalid-request')
  return Errors.parse(errors).map(({ pointer }) => pointer)
}

const withBody = routes.filter(({ request }) => request?.json)
const people = routes.filter(({ access }) => access !== 'machine')
const signOut = async (options: object) =>
  ask('POST', '/api/auth/sign-out', { token: (await owner.session()).token, ...options })

test.for(people)('$id refuses a query it does not know, by name', async (route) => {
  const { method, path, ask: options } = requestFor(route, examples[route.id] ?? {})
  const { token } = await owner.session()
  for (const key of ['surprise', 'constructor', '__proto__', 'a/b~c']) {
    const separator = path.includes('?') ? '&' : '?'
    const response = await ask(method, `${path}${separator}${encodeURIComponent(key)}=1`, {
      ...options,
      token,
    })
    const pointer = `query#/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
    expect(await pointersOf(response), route.id).toContain(pointer)
  }
})

test.for(withBody)('$id refuses keys of a body it does not know, by name', async (route) => {
  const example = examples[route.id] ?? {}
  const known = typeof example.json === 'object' ? example.json : {}
  const { method, path, ask: options } = requestFor(route, example)
  const { token } = await owner.session()
  const response = await ask(method, path, { ...options, token, json: { ...known, surprise: 1, 'a/b~c': 2 } })
  const pointers = await pointersOf(response)
  expect(pointers).toContain('json#/surprise')
  expect(pointers).toContain('json#/a~1b~0c')
})

test.for(withBody)('$id takes JSON and nothing else', async (route) => {
  const { method, path } = requestFor(route, examples[route.id] ?? {})
  const { token } = await owner.session()
  const send = (body: string, contentType: string) =>
    ask(method, path, { token, body, headers: { ...freshAddress(), 'content-type': contentType } })
  const others = [
    'text/plain',
    'application/x-www-form-urlencoded',
    'application/jsonp',
    'x/application/json',
    '',
  ]
  for (const contentType of others)
    await expectProblem(await send('{}', contentType), 'unsupported-media-type')
  await expectProblem(await ask(method, path, { token, headers: freshAddress() }), 'unsupported-media-type')
  for (const malformed of ['', '{', '{"a":1}}', "{'a':1}", 'undefined', '\u0000'])
    expect(await pointersOf(await send(malformed, 'application/json')), malformed).toEqual(['json#/'])
  for (const other of ['[]', '"text"', '5', 'null', 'true'])
    expect(await pointersOf(await send(other, 'application/json')), other).toEqual(['json#/'])
})

test.for(withBody)('$id stops reading a body that is too large, declared or not', async (route) => {
  const { method, path } = requestFor(route, examples[route.id] ?? {})
  const { token } = await owner.session()
  const headers = { ...freshAddress(), 'content-type': 'application/json' }
  const large = `{"a":"${'x'.repeat(64 * 1024)}"}`
  await expectProblem(await ask(method, path, { token, headers, body: large }), 'payload-too-large')
  await expectProblem(await ask(method, path, { token, headers, body: inPieces(large) }), 'payload-too-large')
})

/** A body of which nobody knows the length beforehand. */
function inPieces(text: string): ReadableStream<Uint8Array> {
  const bytes = new TextEncoder().encode(text)
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < bytes.length; at += 1_000) controller.enqueue(bytes.slice(at, at + 1_000))
      controller.close()
    },
  })
}

test('a body that comes in pieces is read like any other, from who is signed in only', async () => {
  const headers = { 'content-type': 'application/json' }
  const session = await owner.session()
  const body = () => inPieces('{"everywhere":false}')
  await expectProblem(await ask('POST', '/api/auth/sign-out', { headers, body: body() }), 'unauthenticated')
  expect(
    (await ask('POST', '/api/auth/sign-out', { token: session.token, headers, body: body() })).status,
  ).toBe(204)
  const again = await ask('POST', '/api/auth/sign-out', { token: session.token, headers, body: body() })
  await expectProblem(again, 'session-revoked')
})

test('JSON may say its charset, and be of a kind of its own', async () => {
  const kinds = [
    'application/json; charset=utf-8',
    'application/json ;charset=UTF-8',
    'APPLICATION/JSON',
    'application/x.y+json;',
  ]
  for (const contentType of kinds)
    expect(
      await pointersOf(await signOut({ body: '{"no":1}', headers: { 'content-type': contentType } })),
    ).toEqual(['json#/no'])
})

test('every fault of a request is named at once', async () => {
  const { token } = await owner.session()
  const response = await ask('GET', '/api/plex/libraries/1/items?offset=-1&limit=101&x=1', { token })
  expect((await pointersOf(response)).toSorted()).toEqual(['query#/limit', 'query#/offset', 'query#/x'])
  const twice = await ask('GET', '/api/plex/libraries/1/items?limit=1&limit=2', { token })
  expect(await pointersOf(twice)).toEqual(['query#/limit'])
})

test('a parameter is checked before Plex hears of it', async () => {
  const { token } = await owner.session()
  for (const key of ['..%2F..%2Fstatus', '1%20', 'a', '%00', '1;2', '%ZZ', '1234567890123'])
    expect(await pointersOf(await ask('GET', `/api/plex/items/${key}/children`, { token })), key).toEqual([
      'param#/ratingKey',
    ])
})

test('a method that a resource does not take is answered with those it does', async () => {
  const cases = [
    ['DELETE', '/api/plex/libraries', 'GET, HEAD'],
    ['PATCH', '/api/v1/plex/libraries', 'GET, HEAD'],
    ['GET', '/api/auth/refresh', 'POST'],
    ['PUT', '/api/auth/plex/pin/5', 'GET, HEAD'],
    ['GET', '/api/webhooks/plex/not-a-real-secret', 'POST'],
    ['POST', '/api/live', 'GET, HEAD'],
  ] as const
  for (const [method, path, allow] of cases) {
    const response = await ask(method, path)
    expect(response.headers.get('allow'), `${method} ${path}`).toBe(allow)
    await expectProblem(response, 'method-not-allowed')
  }
})

test('what is not there is not there, for any method', async () => {
  const paths = [
    '/',
    '/api',
    '/api/',
    '/api/nothing',
    '/api/v1',
    '/api/v2/plex/libraries',
    '/API/plex/libraries',
    '/api/plex/libraries/',
    '/api/plex//libraries',
    '/api/auth/session/x',
    '/favicon.ico',
  ]
  for (const path of paths)
    for (const method of ['GET', 'POST', 'DELETE']) await expectProblem(await ask(method, path), 'not-found')
})

test('HEAD is answered like GET, without a body', async () => {
  const { token } = await owner.session()
  const [get, head] = [
    await ask('GET', '/api/plex/server', { token }),
    await ask('HEAD', '/api/plex/server', { token }),
  ]
  expect(head.status).toBe(200)
  expect(await head.text()).toBe('')
  expect(head.headers.get('etag')).toBe(get.headers.get('etag'))
  expect((await ask('HEAD', '/api/plex/server')).status).toBe(401)
  expect((await ask('HEAD', '/api/live', { headers: { upgrade: 'websocket' } })).status).toBe(401)
})

test('an authorization that is no bearer token is refused and not repeated', async () => {
  for (const authorization of [
    'Bearer',
    'Bearer ',
    'Basic dXNlcjpwYXNz',
    'Bearer a b',
    `Bearer ${'x'.repeat(5_000)}`,
    'Bearer é',
  ]) {
    const response = await ask('GET', '/api/auth/session', { headers: { authorization } })
    await expectProblem(response, 'unauthenticated')
    expect(response.headers.get('www-authenticate')).toBe('Bearer realm="medianest"')
  }
})
