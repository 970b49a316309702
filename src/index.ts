import { Problem } from '#contract/problem.ts'

import { createApp } from './app.ts'
import { ConfigError } from './config.ts'
import type { AppEnv } from './http/env.ts'
import { problemDocument } from './http/problem-response.ts'
import { log } from './platform/logger.ts'
import { buildServices, type Services } from './services.ts'
import type { Hono } from 'hono'

export { CircuitBreaker } from './durable/circuit-breaker.ts'
export { DownloadQueue } from './durable/download-queue.ts'
export { LiveRoom } from './durable/live-room.ts'
export { PlexServer } from './durable/plex-server.ts'
export { RateLimiter } from './durable/rate-limiter.ts'
export { UserGate } from './durable/user-gate.ts'

type Isolate = { readonly app: Hono<AppEnv>; readonly services: Services }

const isolates = new WeakMap<Env, Isolate>()

function isolateOf(env: Env): Isolate {
  const known = isolates.get(env)
  if (known) return known
  const services = buildServices(env)
  const isolate = { services, app: createApp(services, services.http) }
  isolates.set(env, isolate)
  return isolate
}

const deadLetterQueue = 'medianest-webhooks-dead'

export default {
  fetch(request, env, ctx) {
    try {
      return isolateOf(env).app.fetch(request, env, ctx)
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error
      // Names of settings are for the operator, who reads the log.
      const requestId = crypto.randomUUID()
      log('error', 'not-configured', { requestId, settings: error.settings, message: error.message })
      return problemDocument(new Problem('not-configured'), requestId)
    }
  },

  async queue(batch, env) {
    const { webhooks } = isolateOf(env).services
    for (const message of batch.messages) {
      if (batch.queue === deadLetterQueue) {
        await webhooks.dead(message.body)
        message.ack()
        continue
      }
      const worked = await webhooks.process(message.body)
      if (worked.done) message.ack()
      else message.retry({ delaySeconds: worked.retryAfterSeconds })
    }
  },

  async scheduled({ scheduledTime }, env) {
    const { health, webhooks, adoptDownloads, collecting, retention } = isolateOf(env).services
    const rounds = await Promise.allSettled([
      health.round(),
      webhooks.sweep(),
      adoptDownloads(),
      collecting.round(),
      retention.round(scheduledTime),
    ])
    for (const round of rounds) {
      if (round.status === 'rejected') log('error', 'round-failed', { cause: round.reason })
    }
  },
} satisfies ExportedHandler<Env, number>
