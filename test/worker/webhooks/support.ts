import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { Hono } from 'hono'

import { Problem } from '#contract/problem.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import type { AppEnv, HttpDependencies, Role } from '../../../src/http/env.ts'
import { requestScope } from '../../../src/http/middleware/request-scope.ts'
import { problemResponse } from '../../../src/http/problem-response.ts'
import { createDeliveryStore } from '../../../src/platform/delivery-store.ts'
import type { WebhooksDependencies } from '../../../src/webhooks/ports.ts'
import { base64, hex, hmacSha256, utf8 } from '../../../src/webhooks/proof.ts'
import { webhooks } from '../../../src/webhooks/routes.ts'
import { createWebhooks } from '../../../src/webhooks/service.ts'

export const machineIdentifier = 'a-plex-server-of-ours'
export const secrets = {
  plex: ['a-plex-path-secret-of-length'],
  overseerr: ['an-overseerr-secret'],
  github: ["It's a Secret to Everybody"],
  generic: { ci: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'] },
}

const allowed: WindowDecision = { allowed: true, limit: 1_000, remaining: 999, resetMs: 900_000 }
export const exhausted: WindowDecision = {
  allowed: false,
  limit: 100,
  remaining: 0,
  resetMs: 61_500,
  retryAfterMs: 61_500,
}

const http: HttpDependencies = {
  access: {
    async identify(token) {
      if (token !== 'user' && token !== 'admin') throw new Problem('unauthenticated')
      return { userId: token, sessionId: 's', role: token }
    },
    admit: async (claims) => ({ admitted: true, caller: { ...claims, scope: `${claims.userId}.1` } }),
  },
  log: () => {},
  newId: () => crypto.randomUUID(),
  now: () => Date.now(),
  allowedOrigins: [],
}

/** The feature as clients see it, with its real store; `seen` notes what it does to the rest. */
export function setUp(overrides: Partial<WebhooksDependencies> = {}) {
  const seen = {
    charged: [] as string[],
    queued: [] as number[],
    scans: [] as string[],
    published: [] as string[],
    audit: [] as { actor: string; action: string; target: string }[],
  }
  const service = createWebhooks({
    store: createDeliveryStore(drizzle(env.DB)),
    secrets,
    machineIdentifier,
    libraries: { movies: '1', tv: '2' },
    budgets: {
      addressLeft: async () => allowed,
      chargeAddress: async (address) => void seen.charged.push(address),
      takeSource: async () => allowed,
    },
    enqueue: async (ids) => void seen.queued.push(...ids),
    effects: {
      scan: async (libraryKey) => void seen.scans.push(libraryKey),
      invalidate: async () => {},
      publish: async (_, { event }) => void seen.published.push(event),
    },
    audit: async (entry) => void seen.audit.push(entry),
    log: () => {},
    now: () => Date.now(),
    random: () => Math.random(),
    ...overrides,
  })
  const { base, routes } = webhooks(service)
  const app = new Hono<AppEnv>()
  app.onError(problemResponse)
  app.use(requestScope(http))
  app.route(`/api${base}`, routes)
  const ask = async (method: string, path: string, init: RequestInit = {}) =>
    app.request(`https://medianest.example/api/webhooks${path}`, { ...init, method })
  const as = (role: Role | 'stranger') => ({ headers: { Authorization: `Bearer ${role}` } })
  return { ask, as, service, seen }
}

/** What GitHub would send; the number makes it a delivery of its own. */
export async function fromGitHub(event: string, payload: Record<string, unknown>): Promise<RequestInit> {
  const body = JSON.stringify({ ...payload, nonce: crypto.randomUUID() })
  const signature = hex(await hmacSha256(utf8(secrets.github[0] ?? ''), utf8(body)))
  return {
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-hub-signature-256': `sha256=${signature}`,
      'cf-connecting-ip': '192.0.2.7',
    },
    body,
  }
}

export const push = { ref: 'refs/heads/main', commits: [{}], repository: { full_name: 'octo/cat' } }

/** A Standard Webhook, signed now. */
export async function fromStandard(id: string, body: string): Promise<RequestInit> {
  const key = Uint8Array.from(atob(secrets.generic.ci[0]?.slice('whsec_'.length) ?? ''), (character) =>
    character.charCodeAt(0),
  )
  const timestamp = String(Math.floor(Date.now() / 1_000))
  const mac = await hmacSha256(key, utf8(`${id}.${timestamp}.${body}`))
  return {
    headers: { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${base64(mac)}` },
    body,
  }
}
