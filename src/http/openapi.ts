import * as z from 'zod'

import { catalogue, problemId, problemSchemas, type ProblemCode } from '#contract/problems.ts'

import { queryOf, type Feature } from './feature.ts'
import type { Operation } from './operation.ts'

type Json = Record<string, unknown>

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

/** The OpenAPI 3.1 document, derived from the operations; there is no other description of the API. */
export function openapi(
  features: readonly Feature[],
  info: { readonly title: string; readonly version: string },
): Json {
  const registry = z.registry<{ id: string }>()
  for (const schema of problemSchemas) registry.add(schema, { id: z.globalRegistry.get(schema)?.id ?? '' })
  const paths: Record<string, Record<string, Json>> = {}
  for (const { base, operations } of features) {
    for (const operation of operations) {
      const path = `/api${base}${operation.path}`
        .replaceAll(/:(\w+)(?:\{[^}]*\})?/g, '{$1}')
        .replace(/\/$/, '')
      paths[path] = { ...paths[path], [operation.method]: describeOperation(operation, base) }
    }
  }
  const problems = z.toJSONSchema(registry, { uri: (id) => `#/components/schemas/${id}` }).schemas
  return {
    openapi: '3.1.0',
    info,
    paths,
    components: {
      schemas: Object.fromEntries(Object.entries(problems).map(([id, schema]) => [id, withoutIds(schema)])),
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
        machine: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of the operator, or the sender’s own scheme',
        },
      },
    },
  }
}

function describeOperation(operation: Operation, base: string): Json {
  const { request = {} } = operation
  return {
    operationId: operation.id,
    summary: operation.summary,
    tags: [base.split('/')[1] || 'system'],
    security: security(operation),
    ...(operation.access === 'admin' && { 'x-role': 'admin' }),
    parameters: [
      ...parameters('path', request.param),
      ...parameters('query', queryOf(operation)),
      ...parameters('header', request.header),
    ],
    ...(request.json && {
      requestBody: {
        required: true,
        content: { 'application/json': { schema: jsonSchema(request.json, 'input') } },
      },
    }),
    responses: { ...successes(operation), ...failures(operation) },
  }
}

function security({ access }: Operation): Json[] {
  if (access === 'public') return []
  if (access === 'optional') return [{}, { bearer: [] }]
  return access === 'machine' ? [{ machine: [] }] : [{ bearer: [] }]
}

function parameters(location: 'path' | 'query' | 'header', schema: z.ZodObject | undefined): Json[] {
  if (!schema) return []
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as {
    properties?: Record<string, unknown>
    required?: string[]
  }
  return Object.entries(properties).map(([name, property]) => ({
    name,
    in: location,
    required: location === 'path' || required.includes(name),
    schema: property,
  }))
}

function successes({ responses }: Operation): Json {
  return Object.fromEntries(
    Object.entries(responses).map(([status, schema]) => [
      status,
      typeof schema === 'string'
        ? {
            description: schema === 'upgrade' ? 'The connection becomes a WebSocket' : 'Done',
            ...(schema === 'image' && { content: { 'image/*': { schema: {} } } }),
          }
        : { description: 'OK', content: { 'application/json': { schema: jsonSchema(schema, 'output') } } },
    ]),
  )
}

function failures(operation: Operation): Json {
  const byStatus = Map.groupBy(problemsOf(operation), (code) => catalogue[code].status)
  return Object.fromEntries(
    [...byStatus].map(([status, codes]) => [
      String(status),
      {
        description: codes.map((code) => catalogue[code].title).join('; '),
        content: {
          'application/problem+json': { schema: { oneOf: codes.map((code) => ref(problemId(code))) } },
        },
      },
    ]),
  )
}

/** What an operation may answer: its own problems and those its access, limit and request bring along. */
export function problemsOf(operation: Operation): readonly ProblemCode[] {
  const { access, limit, request, problems = [] } = operation
  const signedIn: ProblemCode[] = ['unauthenticated', 'token-expired', 'session-revoked', 'origin-refused']
  return [
    ...new Set<ProblemCode>([
      ...problems,
      ...(access === 'user' || access === 'admin' || access === 'optional' ? signedIn : []),
      ...(access === 'admin' ? (['forbidden'] as const) : []),
      ...(limit ? (['rate-limited'] as const) : []),
      ...(request || queryOf(operation) ? (['invalid-request'] as const) : []),
      ...(request?.json ? (['unsupported-media-type', 'payload-too-large'] as const) : []),
      'internal',
    ]),
  ]
}

/** Named schemas stay inline: the document is then readable on its own, one operation at a time. */
function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  return withoutIds(z.toJSONSchema(schema, { io, reused: 'inline', unrepresentable: 'any' }))
}

function withoutIds(schema: unknown): Json {
  const stripped: Json = JSON.parse(
    JSON.stringify(schema, (key, value: unknown) =>
      key === '$id' || key === '$schema' || (key === 'id' && typeof value === 'string') ? undefined : value,
    ),
  )
  return stripped
}
