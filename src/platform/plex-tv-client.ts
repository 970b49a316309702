import * as z from 'zod'

import { Problem } from '#contract/problem.ts'

import type { PlexTv } from '../auth/ports.ts'
import { UpstreamError, type Upstream, type UpstreamAnswer } from './upstream.ts'

type Options = {
  readonly url: string
  readonly authUrl: string
  readonly clientIdentifier: string
  readonly machineIdentifier: string
  readonly upstream: Upstream
}

const product = 'MediaNest'

const PinAnswer = z.object({
  id: z.int().positive(),
  code: z.string().min(1),
  expiresAt: z.coerce.date(),
  authToken: z.string().nullish(),
})

const AccountAnswer = z.object({
  id: z.int().positive(),
  username: z.string().nullish(),
  title: z.string().nullish(),
  email: z.string().nullish(),
  thumb: z.string().nullish(),
})

// Rows may be all null, and a flag may come as true, 1 or "1".
const Resource = z.object({
  clientIdentifier: z.string(),
  provides: z.string(),
  owned: z.unknown(),
  accessToken: z.string().min(1),
})

/** plex.tv's api v2. Only what is named here is read of its answers, which hold more secrets than we ask for. */
export function createPlexTvClient(options: Options): PlexTv {
  const { clientIdentifier, machineIdentifier } = options
  const headers = (token?: string) => ({
    Accept: 'application/json',
    'X-Plex-Client-Identifier': clientIdentifier,
    'X-Plex-Product': product,
    ...(token && { 'X-Plex-Token': token }),
  })
  const call = async (method: 'GET' | 'POST', path: string, token?: string): Promise<UpstreamAnswer> => {
    try {
      return await options.upstream.call({
        method,
        url: `${options.url}${path}`,
        headers: headers(token),
        maxBytes: 2 * 1024 * 1024,
      })
    } catch (cause) {
      throw unavailable(cause)
    }
  }

  return {
    async createPin() {
      const answer = await call('POST', '/api/v2/pins?strong=true')
      const { id, code, expiresAt } = parse(PinAnswer, answer, 201)
      return { id, code, expiresAt }
    },

    async pollPin(id) {
      const answer = await call('GET', `/api/v2/pins/${id}`)
      if (answer.status === 404) return { state: 'expired' }
      const { authToken } = parse(PinAnswer, answer)
      return authToken ? { state: 'claimed', token: authToken } : { state: 'pending' }
    },

    async account(token) {
      const answer = await call('GET', '/api/v2/user', token)
      if (answer.status === 401) return undefined
      const { id, username, title, email, thumb } = parse(AccountAnswer, answer)
      return {
        id: String(id),
        username: username || title || `plex-${id}`,
        ...(email && { email }),
        ...(thumb && { thumb }),
      }
    },

    async membership(token) {
      const answer = await call('GET', '/api/v2/resources?includeHttps=1&includeRelay=1&includeIPv6=1', token)
      if (answer.status === 401) return 'token-refused'
      const rows = parse(z.array(z.unknown()), answer).flatMap((row) => Resource.safeParse(row).data ?? [])
      const server = rows.find(
        (row) => row.clientIdentifier === machineIdentifier && row.provides.split(',').includes('server'),
      )
      if (!server) return 'not-a-member'
      return { owned: [true, 1, '1'].some((yes) => yes === server.owned), serverToken: server.accessToken }
    },

    authUrl(code, forwardUrl) {
      const parameters = new URLSearchParams({
        clientID: clientIdentifier,
        code,
        'context[device][product]': product,
        ...(forwardUrl && { forwardUrl }),
      })
      return `${options.authUrl}#?${parameters.toString()}`
    },
  }
}

function parse<T>(schema: z.ZodType<T>, answer: UpstreamAnswer, status = 200): T {
  if (answer.status !== status || answer.contentType !== 'application/json') throw unavailable(answer.status)
  try {
    return schema.parse(JSON.parse(new TextDecoder().decode(answer.bytes)))
  } catch (cause) {
    throw unavailable(cause)
  }
}

function unavailable(cause: unknown): Problem {
  const failure = cause instanceof UpstreamError ? cause.failure : undefined
  const waitMs = failure && 'retryAfterMs' in failure ? (failure.retryAfterMs ?? 0) : 0
  return new Problem('plex-tv-unavailable', {
    members: { retryAfter: Math.max(5, Math.ceil(waitMs / 1000)) },
    cause,
  })
}
