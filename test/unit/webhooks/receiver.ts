import { createHmac } from 'node:crypto'

import type { Audience, LiveEvent } from '#contract/live.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import type { Incoming } from '../../../src/webhooks/intake.ts'
import type { WebhooksDependencies } from '../../../src/webhooks/ports.ts'
import type { Target } from '../../../src/webhooks/senders.ts'
import { createWebhooks } from '../../../src/webhooks/service.ts'
import { createMemoryStore } from './memory-store.ts'

export const start = Date.UTC(2026, 4, 1, 12)
export const machineIdentifier = 'a-plex-server-of-ours'
export const secrets = {
  plex: ['a-plex-path-secret-of-length', 'the-next-plex-path-secret'],
  overseerr: ['an-overseerr-secret', 'the-next-overseerr-secret'],
  github: ["It's a Secret to Everybody", 'the-next-github-secret'],
  generic: {
    ci: ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    nas: ['a-plain-shared-secret'],
    empty: [],
  },
}

export const allowed: WindowDecision = { allowed: true, limit: 100, remaining: 100, resetMs: 0 }
export const exhausted: WindowDecision = {
  allowed: false,
  limit: 100,
  remaining: 0,
  resetMs: 61_500,
  retryAfterMs: 61_500,
}

/** A receiver whose surroundings are written down in `seen` instead of being real. */
export function createReceiver(overrides: Partial<WebhooksDependencies> = {}) {
  const { store, rows } = createMemoryStore()
  const clock = { now: start }
  const seen = {
    charged: [] as string[],
    taken: [] as string[],
    queued: [] as number[],
    scans: [] as string[],
    invalidated: [] as string[],
    published: [] as { audience: Audience; event: LiveEvent }[],
    audit: [] as { actor: string; action: string; target: string }[],
    log: [] as { level: string; event: string; fields?: unknown }[],
  }
  let ids = 0
  const webhooks = createWebhooks({
    store,
    secrets,
    machineIdentifier,
    libraries: { movies: '1', tv: '2' },
    budgets: {
      addressLeft: async () => allowed,
      chargeAddress: async (address) => void seen.charged.push(address),
      async takeSource(source) {
        seen.taken.push(source)
        return allowed
      },
    },
    enqueue: async (queued) => void seen.queued.push(...queued),
    effects: {
      scan: async (libraryKey) => void seen.scans.push(libraryKey),
      invalidate: async (libraryKey) => void seen.invalidated.push(libraryKey),
      publish: async (audience, event) => void seen.published.push({ audience, event }),
    },
    audit: async (entry) => void seen.audit.push(entry),
    log: (level, event, fields) => void seen.log.push({ level, event, fields }),
    now: () => clock.now,
    random: () => (ids++ % 1_024) / 1_024,
    ...overrides,
  })
  return { webhooks, rows, clock, seen, store }
}

export type Post = {
  readonly target: Target
  readonly headers: Record<string, string>
  readonly body: string
}

export function incoming({ headers, body }: Post, address = '192.0.2.1'): Incoming {
  const request = new Request('https://medianest.test/', { method: 'POST', body, headers })
  return { address, header: (name) => request.headers.get(name) ?? undefined, body: request.body }
}

export const hmacHex = (secret: string, body: string) =>
  createHmac('sha256', secret).update(body).digest('hex')

export function fromGitHub(event: string, payload: unknown, secret = secrets.github[0] ?? ''): Post {
  const body = typeof payload === 'string' ? payload : JSON.stringify(payload)
  const signature = `sha256=${hmacHex(secret, body)}`
  return {
    target: { kind: 'github' },
    headers: {
      'content-type': 'application/json',
      'x-github-event': event,
      'x-hub-signature-256': signature,
    },
    body,
  }
}

export function fromOverseerr(payload: unknown, authorization = secrets.overseerr[0] ?? ''): Post {
  return {
    target: { kind: 'overseerr' },
    headers: { 'content-type': 'application/json', authorization },
    body: typeof payload === 'string' ? payload : JSON.stringify(payload),
  }
}

const boundary = '------------------------d74496d66958873e'

/** A form as Plex posts it; each part is given as its headers' tail and its content. */
export function fromPlex(payload: unknown, parts: readonly string[] = [payloadPart(payload)]): Post {
  return {
    target: { kind: 'plex', secret: secrets.plex[0] ?? '' },
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: [...parts.map((part) => `--${boundary}\r\n${part}\r\n`), `--${boundary}--\r\n`].join(''),
  }
}

export function payloadPart(payload: unknown): string {
  const text = typeof payload === 'string' ? payload : JSON.stringify(payload)
  return `Content-Disposition: form-data; name="payload"\r\nContent-Type: application/json\r\n\r\n${text}`
}

export const thumbPart =
  'Content-Disposition: form-data; name="thumb"; filename="thumb.jpg"\r\nContent-Type: image/jpeg\r\n\r\n\u00FF\u00D8'

export function standardHeaders(
  { id, at, key }: { readonly id: string; readonly at: number; readonly key: string },
  body: string,
): Record<string, string> {
  const timestamp = String(Math.floor(at / 1_000))
  const mac = createHmac('sha256', Buffer.from(key.replace('whsec_', ''), 'base64'))
  const signature = mac.update(`${id}.${timestamp}.${body}`).digest('base64')
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` }
}

export function fromGeneric(name: string, body: string, headers: Record<string, string>): Post {
  return {
    target: { kind: 'generic', name },
    headers: { 'content-type': 'application/json', ...headers },
    body,
  }
}

export const plexPayload = (event: string, more: Record<string, unknown> = {}) => ({
  event,
  user: true,
  owner: true,
  Account: { id: 1, thumb: 'https://plex.tv/users/1022b120ffbaa/avatar', title: 'elan' },
  Server: { title: 'Office', uuid: machineIdentifier },
  Player: { local: false, publicAddress: '203.0.113.7', title: 'Plex Web', uuid: 'r6yfkdnfggbh2bdnvkffwbms' },
  Metadata: {
    librarySectionType: 'show',
    ratingKey: '1936545',
    key: '/library/metadata/1936545',
    librarySectionID: 2,
    type: 'episode',
    title: 'Pilot',
    grandparentTitle: 'A Show',
  },
  ...more,
})

export const overseerrPayload = (type: string, more: Record<string, unknown> = {}) => ({
  notification_type: type,
  event: 'Movie Request Now Available',
  subject: 'The Matrix (1999)',
  message: 'A computer hacker learns',
  image: 'https://image.tmdb.org/t/p/w600_and_h900_bestv2/poster.jpg',
  media: { media_type: 'movie', tmdbId: '603', tvdbId: '', status: 'AVAILABLE', status4k: 'UNKNOWN' },
  request: {
    request_id: '12',
    requestedBy_email: 'somebody@example.com',
    requestedBy_username: 'somebody',
    requestedBy_avatar: 'https://plex.tv/users/abc/avatar',
  },
  issue: null,
  comment: null,
  extra: [],
  ...more,
})
