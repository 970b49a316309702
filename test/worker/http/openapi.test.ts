import { expect, test } from 'vitest'
import * as z from 'zod'

import { problemCodes, problemId, problemStatus } from '#contract/problems.ts'

import { problemsOf } from '../../../src/http/openapi.ts'
import { plexProblems } from '../../../src/plex/problems.ts'
import { ask } from '../support/client.ts'
import { routes } from '../support/operations.ts'

const Described = z.looseObject({
  operationId: z.string(),
  summary: z.string().min(1),
  security: z.array(z.record(z.string(), z.array(z.string()))),
  parameters: z.array(
    z.looseObject({ name: z.string(), in: z.enum(['path', 'query', 'header']), required: z.boolean() }),
  ),
  responses: z.record(z.string(), z.unknown()),
  requestBody: z.unknown().optional(),
})
const Document = z.looseObject({
  openapi: z.literal('3.1.0'),
  paths: z.record(z.string(), z.record(z.string(), Described)),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
})

const response = await ask('GET', '/openapi.json')
const raw: unknown = await response.json()
const document = Document.parse(raw)
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ ...operation, path, method })),
)

/** Every value under a key of that name, wherever it stands. */
function valuesOf(name: string, value: unknown): unknown[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, each]) => [
    ...(key === name ? [each] : []),
    ...valuesOf(name, each),
  ])
}

const resolve = (reference: string): unknown =>
  reference
    .slice(2)
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce<unknown>((value, part) => z.record(z.string(), z.unknown()).parse(value)[part], raw)

test('the document is JSON that anybody may read', () => {
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('application/json')
})

test.for(routes)('$id is in the document, as it is', (route) => {
  const found = described.filter(({ operationId }) => operationId === route.id)
  expect(found).toHaveLength(1)
  const [operation] = found
  expect(operation?.method).toBe(route.method)
  const path = `/api${route.base}${route.path}`.replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}').replace(/\/$/, '')
  expect(operation?.path).toBe(path)

  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
  const inPath = operation?.parameters.filter((parameter) => parameter.in === 'path')
  expect(inPath?.map(({ name }) => name)).toEqual(named)
  expect(inPath?.every(({ required }) => required)).toBe(true)
  expect(operation?.requestBody !== undefined).toBe(route.request?.json !== undefined)

  const promised = new Set([
    ...Object.keys(route.responses),
    ...problemsOf(route).map((code) => String(problemStatus(code))),
  ])
  expect(new Set(Object.keys(operation?.responses ?? {}))).toEqual(promised)
})

test.for(routes)('$id says what it demands of its caller', (route) => {
  const schemes = described
    .find(({ operationId }) => operationId === route.id)
    ?.security.map((scheme) => Object.keys(scheme).join())
  const expected = {
    public: [],
    optional: ['', 'bearer'],
    user: ['bearer'],
    admin: ['bearer'],
    machine: ['machine'],
  }
  expect(schemes).toEqual(expected[route.access])
})

test('the document holds nothing that is not there', () => {
  expect(described.map(({ operationId }) => operationId).toSorted()).toEqual(
    routes.map(({ id }) => id).toSorted(),
  )
  expect(new Set(routes.map(({ id }) => id)).size).toBe(routes.length)
})

test('every reference leads somewhere', () => {
  const references = z.array(z.string()).parse(valuesOf('$ref', raw))
  expect(references.length).toBeGreaterThan(50)
  for (const reference of new Set(references)) {
    expect(reference.startsWith('#/'), reference).toBe(true)
    expect(resolve(reference), reference).toBeTypeOf('object')
  }
})

test('every failure a client can see is described by its own schema', () => {
  for (const code of problemCodes) expect(document.components.schemas).toHaveProperty([problemId(code)])
})

test('no two schemas are meant to be the same one', () => {
  expect(valuesOf('$id', raw)).toEqual([])
  expect(valuesOf('$defs', raw)).toEqual([])
})

test('whoever reads Plex is told of everything that a question to it may come to', () => {
  const reads = routes.filter(
    ({ base, method, limit }) => base === '/plex' && method === 'get' && limit === 'plex',
  )
  expect(reads.length).toBeGreaterThan(10)
  for (const read of reads) {
    expect(problemsOf(read), read.id).toEqual(expect.arrayContaining([...plexProblems]))
  }
})
