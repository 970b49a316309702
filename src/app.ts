import { Hono } from 'hono'
import { cors } from 'hono/cors'

import { Problem } from '#contract/problem.ts'

import { auth } from './auth/routes.ts'
import { health } from './health/routes.ts'
import type { AppEnv, HttpDependencies } from './http/env.ts'
import type { Feature } from './http/feature.ts'
import { allowedMethods } from './http/methods.ts'
import { problemResponse } from './http/problem-response.ts'
import { requestScope } from './http/middleware/request-scope.ts'
import { documents } from './http/documents.ts'
import { live } from './live/routes.ts'
import { images } from './plex/image-routes.ts'
import { collections } from './plex/collection-routes.ts'
import { plex } from './plex/routes.ts'
import { scans } from './plex/scan-routes.ts'
import { sessions } from './plex/session-routes.ts'
import type { Services } from './services.ts'
import { webhooks } from './webhooks/routes.ts'
import { downloadControl } from './youtube/control-routes.ts'
import { downloadHistory } from './youtube/history-routes.ts'
import { downloaderLink } from './youtube/link-routes.ts'
import { downloadQueue } from './youtube/queue-routes.ts'
import { youtube } from './youtube/routes.ts'

export function createApp(services: Services, http: HttpDependencies): Hono<AppEnv> {
  const features = featuresOf(services)
  const app = new Hono<AppEnv>()

  app.onError(problemResponse)
  app.use(requestScope(http))
  app.use(
    cors({
      origin: [...http.allowedOrigins],
      credentials: true,
      exposeHeaders: exposedHeaders,
      maxAge: 86_400,
    }),
  )

  for (const { base, routes } of features) {
    app.route(`/api${base}`, routes)
    app.route(`/api/v1${base}`, routes)
  }
  app.route('/', documents(features))

  app.notFound((c) => {
    const allow = allowedMethods(features, c.req.path)
    if (allow.length === 0) throw new Problem('not-found')
    c.set('allow', allow.join(', '))
    throw new Problem('method-not-allowed')
  })
  return app
}

/** All there is to ask of MediaNest. */
export function featuresOf(services: Services): readonly Feature[] {
  return [
    auth(services.auth),
    plex(services.plex),
    collections(services.collections),
    images(services.images),
    scans(services.scans),
    sessions(services.sessions),
    youtube(services.youtube),
    downloadHistory(services.history),
    downloadControl(services.control, services.history),
    downloadQueue(services.queue, services.retention),
    downloaderLink(services.downloaderLink),
    webhooks(services.webhooks),
    live(services.live),
    health(services.health),
  ]
}

const exposedHeaders = [
  'Age',
  'ETag',
  'RateLimit',
  'RateLimit-Policy',
  'Retry-After',
  'Server-Timing',
  'X-Cache',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'X-Request-Id',
]
