import * as fc from 'fast-check'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import * as z from 'zod'

import { Download } from '../../../src/contract/downloads.ts'
import { Failure } from '../../../src/contract/failures.ts'
import { liveEvents } from '../../../src/contract/live.ts'
import { health } from '../../../src/health/routes.ts'
import type { Health } from '../../../src/health/service.ts'
import { documents } from '../../../src/http/documents.ts'
import type { AppEnv } from '../../../src/http/env.ts'
import { feature } from '../../../src/http/feature.ts'
import { jsonSchema, shareDefinitions } from '../../../src/http/json-schema.ts'
import { opaque, operation } from '../../../src/http/operation.ts'
import { live } from '../../../src/live/routes.ts'
import type { Live } from '../../../src/live/service.ts'

const unused = () => Promise.reject(new Error('nobody asks this of a document'))
const noHealth: Health = { round: unused, system: unused, service: unused }
const noLive: Live = { issueTicket: unused, redeemTicket: unused, connect: unused }

const hostile = operation({
  id: 'hostile',
  method: 'get',
  path: '/x',
  summary: '</pre><script>alert(1)</script>',
  access: 'public',
  responses: { 200: z.object({ data: z.array(Download), why: Failure.optional() }) },
})
const sample = feature('/sample', (on) => on(hostile, () => opaque(new Response())))
const app = new Hono<AppEnv>().route('/', documents([health(noHealth), live(noLive), sample]))

const Document = z.looseObject({
  paths: z.record(z.string(), z.unknown()).optional(),
  channels: z
    .object({ live: z.looseObject({ address: z.string(), messages: z.record(z.string(), z.unknown()) }) })
    .optional(),
  components: z.looseObject({
    schemas: z.record(z.string(), z.unknown()),
    messages: z.record(z.string(), z.looseObject({ name: z.string(), payload: z.unknown() })).optional(),
  }),
})

async function read(path: string) {
  const response = await app.request(path)
  expect(response.status).toBe(200)
  return Document.parse(await response.json())
}

/** Where each reference of a document leads to. */
function targets(document: unknown): readonly unknown[] {
  const references: string[] = []
  JSON.stringify(document, (key, value: unknown) => {
    if (key === '$ref') references.push(z.string().parse(value))
    return value
  })
  return references.map((reference) => {
    const steps = reference.replace('#/', '').split('/')
    const Step = z.record(z.string(), z.unknown())
    return steps.reduce<unknown>((place, step) => Step.safeParse(place).data?.[step], document)
  })
}

test.each(['/openapi.json', '/asyncapi.json'])('every reference of %s leads somewhere', async (path) => {
  const document = await read(path)
  const found = targets(document)
  expect(found.length).toBeGreaterThan(10)
  expect(found).not.toContain(undefined)
  expect(JSON.stringify(document)).not.toContain('$defs')
  expect(Object.keys(document.components.schemas)).toEqual(expect.arrayContaining(['Download', 'Failure']))
})

test('the live document names every event, with the frame it comes in', async () => {
  const { channels, components } = await read('/asyncapi.json')
  const names = Object.values(components.messages ?? {}).map(({ name }) => name)
  expect(names.toSorted()).toEqual([...Object.keys(liveEvents), 'narrow', 'ping', 'pong'].toSorted())
  expect(Object.keys(channels?.live.messages ?? {})).toEqual(Object.keys(components.messages ?? {}))
  for (const key of Object.keys(components.messages ?? {})) expect(key).toMatch(/^[\w.-]+$/)
  expect(components.messages?.['youtube.cancelled']?.payload).toMatchObject({
    required: ['seq', 'at', 'event', 'data'],
    properties: { event: { const: 'youtube:cancelled' }, data: { required: ['downloadId'] } },
  })
})

test('the live channel is where the operation is, with the query it takes', async () => {
  const { channels } = await read('/asyncapi.json')
  expect(channels?.live).toMatchObject({ address: '/api/live' })
  expect(channels?.live).toHaveProperty('bindings.ws.query.properties.since')
})

test('a document that has not changed is not sent again', async () => {
  const first = await app.request('/openapi.json')
  const etag = first.headers.get('etag') ?? ''
  const again = (tag: string) => app.request('/openapi.json', { headers: { 'If-None-Match': tag } })
  expect((await again(etag)).status).toBe(304)
  expect((await again(`W/${etag}`)).status).toBe(304)
  expect((await again('"other"')).status).toBe(200)
})

test('the page runs its own script and nothing else', async () => {
  const [first, second] = [await app.request('/docs'), await app.request('/docs')]
  const policy = first.headers.get('content-security-policy') ?? ''
  const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1] ?? ''
  expect(policy).toContain("default-src 'none'")
  expect(policy).not.toContain('unsafe')
  expect(second.headers.get('content-security-policy')).not.toBe(policy)
  const page = await first.text()
  expect(page.match(/<script[^>]*>/g)).toEqual([`<script nonce="${nonce}">`])
  // To paths of ours and to places in the page, and nowhere else.
  expect(page).not.toMatch(/(?:src|href)="(?![/#])/)
  expect(page).not.toMatch(/(?:src|href)="\/\//)
  expect(page).toContain('&lt;script&gt;')
})

test('the page names every operation', async () => {
  const page = await (await app.request('/docs')).text()
  const { paths = {} } = await read('/openapi.json')
  expect(Object.keys(paths)).toContain('/api/health/services/{service}')
  for (const path of Object.keys(paths)) expect(page).toContain(`<code>${path}</code>`)
})

test('definitions of the same name are one, or are refused', () => {
  const one = z.object({ a: z.string() }).meta({ id: 'Shared' })
  const other = z.object({ a: z.number() }).meta({ id: 'Other' })
  const schema = {
    first: jsonSchema(z.object({ one }), 'output'),
    second: jsonSchema(z.object({ one, other }), 'output'),
  }
  expect(shareDefinitions(schema)).toMatchObject({
    first: { properties: { one: { $ref: '#/components/schemas/Shared' } } },
    components: { schemas: { Shared: { type: 'object' }, Other: { type: 'object' } } },
  })
  const clash = { first: { $defs: { A: { type: 'string' } } }, second: { $defs: { A: { type: 'number' } } } }
  expect(() => shareDefinitions(clash)).toThrow('A')
})

test('what has no definitions stays as it is', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (document) => {
      fc.pre(!/\$defs|\$ref|components/.test(JSON.stringify(document)))
      expect(shareDefinitions(document)).toEqual({ ...document, components: { schemas: {} } })
    }),
  )
})
