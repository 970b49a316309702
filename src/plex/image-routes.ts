import * as z from 'zod'

import { Problem } from '#contract/problem.ts'

import { matches } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { opaque, operation } from '../http/operation.ts'
import { imageSizes } from './image-paths.ts'
import type { ImageService } from './images.ts'

/** Not narrowed here: a malformed address is as unknown as a forged one, and neither learns more. */
const ImageParam = z.object({
  scope: z.string().meta({ description: 'Whose address it is' }),
  signature: z.string().meta({ description: 'What makes the address ours' }),
  size: z.string().meta({ description: `The width: ${imageSizes.join(', ')}; any of them will do` }),
  path: z.string().meta({ description: 'The picture, under its version' }),
})

const showImage = operation({
  id: 'showImage',
  method: 'get',
  path: '/images/:scope/:signature/:size/:path{.+}',
  summary: 'A poster or backdrop, at an address that another answer gave',
  // The address is the credential, since an <img> can send no other.
  access: 'public',
  request: { param: ImageParam },
  responses: { 200: 'image', 304: 'empty' },
  problems: ['not-found', 'plex-unavailable', 'plex-maintenance', 'plex-tv-unavailable', 'upstream-invalid'],
})

export const images = (service: ImageService): Feature =>
  feature('/plex', (on) => {
    on(showImage, async ({ c, param, background }) => {
      // We encode nothing: each picture has one spelling only.
      if (new URL(c.req.url).pathname.includes('%')) throw new Problem('not-found')
      const found = await service.find({ ...param, path: `/${param.path}` })
      const headers = {
        // The same for everybody and for ever: it names the version.
        ETag: `"${found.size}${found.path.replaceAll('/', '-')}"`,
        'Cache-Control': 'private, max-age=31536000, immutable',
        // Whoever has the address has the picture, so keeping other sites' pages from embedding it would guard nothing,
        // and would break a front end on a domain of its own that is isolated from other origins.
        'Cross-Origin-Resource-Policy': 'cross-origin',
      }
      if (matches(c.req.header('if-none-match'), headers.ETag)) {
        return opaque(
          new Response(null, { status: 304, headers: { ...headers, 'X-Cache': 'HIT', Age: '0' } }),
        )
      }
      const { body, contentType, state, ageSeconds } = await service.show(found, background)
      c.var.timings.push({ name: 'cache', ms: 0, description: state })
      return opaque(
        new Response(body, {
          headers: { ...headers, 'Content-Type': contentType, 'X-Cache': state, Age: String(ageSeconds) },
        }),
      )
    })
  })
