import { exports } from 'cloudflare:workers'
import { expect, test } from 'vitest'
import * as z from 'zod'

const Openapi = z.looseObject({
  paths: z.record(z.string(), z.record(z.string(), z.looseObject({ operationId: z.string() }))),
  components: z.looseObject({ schemas: z.record(z.string(), z.unknown()) }),
})

const read = (path: string) => exports.default.fetch(`https://medianest.example${path}`)

test('the whole API is in one document, each operation under its own name, each reference resolved', async () => {
  const response = await read('/openapi.json')
  expect(response.status).toBe(200)
  const text = await response.text()
  const { paths, components } = Openapi.parse(JSON.parse(text))
  const ids = Object.values(paths).flatMap((methods) =>
    Object.values(methods).map(({ operationId }) => operationId),
  )
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toEqual(expect.arrayContaining(['subscribeLive', 'readSystemHealth', 'startPlexSignIn']))
  const references = [...text.matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name)
  expect(text).not.toContain('"$defs"')
  for (const name of references) expect(components.schemas).toHaveProperty([name ?? ''])
})

test('the live events and the page to read are there too', async () => {
  expect(await (await read('/asyncapi.json')).json()).toMatchObject({
    channels: { live: { address: '/api/live' } },
  })
  const page = await read('/docs')
  expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  expect(await page.text()).toContain('<code>/api/live</code>')
})
