import { Hono } from 'hono'
import type { AppEnv } from './env.ts'
import type { Feature } from './feature.ts'
import { openapi } from './openapi.ts'
export function documents(features: readonly Feature[]): Hono<AppEnv> {
  return new Hono<AppEnv>().get('/openapi.json', (c) =>
    c.json(openapi(features, { title: 'MediaNest', version: '1' })),
  )
}
