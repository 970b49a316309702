import { expect, test } from 'vitest'
import * as z from 'zod'

import { feature } from '../../../src/http/feature.ts'
import { allowedMethods } from '../../../src/http/methods.ts'
import { openapi } from '../../../src/http/openapi.ts'
import { opaque, operation } from '../../../src/http/operation.ts'

const show = operation({
  id: 'show',
  method: 'get',
  path: '/pictures/:size/:path{.+}',
  summary: 'A picture by its path',
  access: 'public',
  request: { param: z.object({ size: z.string(), path: z.string() }) },
  responses: { 200: 'image', 304: 'empty' },
})
const sample = feature('/sample', (on) => on(show, ({ param }) => opaque(new Response(param.path))))

test('a parameter may take the rest of a path, slashes and all', async () => {
  const response = await sample.routes.request('/pictures/w240/library/1/thumb/2')
  expect(await response.text()).toBe('library/1/thumb/2')
  expect((await sample.routes.request('/pictures/w240/')).status).toBe(404)
})

test('its methods are known for every path it takes', () => {
  const at = (path: string) => allowedMethods([sample], `/api/sample/pictures${path}`)
  expect([at('/w240/library'), at('/w240/library/1/thumb/2')]).toEqual([
    ['GET', 'HEAD'],
    ['GET', 'HEAD'],
  ])
  expect([at('/w240'), at('')]).toEqual([[], []])
})

test('the document names the parameter, and says that the answer is a picture', () => {
  const { paths } = openapi([sample], { title: 'Sample', version: '1' })
  expect(paths).toMatchObject({
    '/api/sample/pictures/{size}/{path}': {
      get: {
        parameters: [
          { name: 'size', in: 'path', required: true },
          { name: 'path', in: 'path', required: true },
        ],
        responses: { 200: { content: { 'image/*': {} } }, 304: { description: 'Done' } },
      },
    },
  })
})
