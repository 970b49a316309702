import { randomBytes } from 'node:crypto'
import * as z from 'zod'
import { sendJson, startStandIn, type Exchange, type Fault, type StandIn } from '../stand-in.ts'
import { answerApi, errorBody, type Site } from './api.ts'
import type { OwnedAs, PlexServer } from './bodies.ts'
import { createDirectory, type Directory } from './directory.ts'
import { escapeHtml, signInPage } from './sign-in-page.ts'
import { firstState, PlexTvState, type Account, type MakeSecret } from './state.ts'

export type PlexTvOptions = {
  readonly port?: number
  /** An earlier `snapshot()`: tokens and PINs of then work on. */
  readonly state?: PlexTvState
  readonly server?: PlexServer
  readonly ownedAs?: OwnedAs
  readonly now?: () => number
  readonly makeSecret?: MakeSecret
  /** Called after each change of accounts, PINs, tokens or shares, to save a snapshot or tell the Plex server. */
  readonly onChange?: () => void
}

export type RateLimit = {
  readonly times?: number
  readonly retryAfterSeconds?: number
  readonly path?: string
}

export type PlexTv = StandIn &
  Pick<
    Directory,
    'claim' | 'grant' | 'issueToken' | 'plexAccess' | 'revoke' | 'revokeTokens' | 'rotateServerToken'
  > & {
    readonly accounts: () => readonly Account[]
    readonly snapshot: () => PlexTvState
    readonly setServer: (server: PlexServer) => void
    /** The next requests are refused the way plex.tv refuses too many. */
    readonly rateLimit: (limit: RateLimit) => void
  }

/**
 * Starts a stand-in of plex.tv. Control beyond the common: `POST /__control/claim {code, username}`, `grant {username, sections}`,
 * `revoke {username}`, `revoke-tokens {username}`, `rotate-server-token {username}`, `rate-limit {times?, retryAfterSeconds?}`,
 * `server {machineIdentifier, url, name}`, `sign-in {username, clientIdentifier}` and `GET /__control/accounts`.
 */
export async function startPlexTv(options: PlexTvOptions = {}): Promise<PlexTv> {
  const makeSecret = options.makeSecret ?? randomSecret
  const state = PlexTvState.parse(structuredClone(options.state ?? firstState(makeSecret)))
  const now = options.now ?? Date.now
  const directory = createDirectory({ state, now, makeSecret, onChange: options.onChange ?? (() => {}) })
  const site: Site = { directory, state, now, ownedAs: options.ownedAs ?? 1, server: options.server }
  const standIn: StandIn = await startStandIn({
    ...(options.port === undefined ? {} : { port: options.port }),
    handle: (exchange) => answer(site, exchange),
    control: controls(site, (limit) => standIn.fault(rateLimitFault(limit))),
  })
  const { claim, grant, issueToken, plexAccess, revoke, revokeTokens, rotateServerToken } = directory
  return {
    ...standIn,
    claim,
    grant,
    issueToken,
    plexAccess,
    revoke,
    revokeTokens,
    rotateServerToken,
    accounts: () => structuredClone(state.accounts),
    snapshot: () => structuredClone(state),
    setServer: (server) => {
      site.server = server
    },
    rateLimit: (limit) => standIn.fault(rateLimitFault(limit)),
  }
}

function randomSecret(length: number): string {
  const alphabet = 'abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
  return Array.from(randomBytes(length), (byte) => alphabet[byte % alphabet.length]).join('')
}

const ByUsername = z.object({ username: z.string() })

function controls(
  site: Site,
  limit: (limit: RateLimit) => void,
): Record<string, (exchange: Exchange) => unknown> {
  const { directory } = site
  const by =
    <T>(schema: z.ZodType<T>, act: (input: T) => unknown) =>
    ({ body }: Exchange): unknown => {
      const result = act(schema.parse(JSON.parse(body.toString('utf8') || '{}')))
      return result === undefined ? { ok: true } : result
    }
  return {
    accounts: () => site.state.accounts.map(({ username, title, share }) => ({ username, title, share })),
    claim: by(ByUsername.extend({ code: z.string() }), ({ code, username }) => ({
      ok: directory.claim(code, username),
    })),
    'sign-in': by(ByUsername.extend({ clientIdentifier: z.string() }), ({ username, clientIdentifier }) => ({
      token: directory.issueToken(username, clientIdentifier),
    })),
    grant: by(ByUsername.extend({ sections: z.array(z.string()) }), ({ username, sections }) =>
      directory.grant(username, sections),
    ),
    revoke: by(ByUsername, ({ username }) => directory.revoke(username)),
    'revoke-tokens': by(ByUsername, ({ username }) => directory.revokeTokens(username)),
    'rotate-server-token': by(ByUsername, ({ username }) => directory.rotateServerToken(username)),
    'rate-limit': by(RateLimitInput, limit),
    server: by(ServerInput, (server) => {
      site.server = server
    }),
  }
}

const ServerInput = z.object({ machineIdentifier: z.string(), url: z.url(), name: z.string() })
const RateLimitInput = z.object({
  times: z.int().positive().exactOptional(),
  retryAfterSeconds: z.int().nonnegative().exactOptional(),
  path: z.string().exactOptional(),
})

function rateLimitFault({ times, retryAfterSeconds, path }: RateLimit): Fault {
  return {
    kind: 'status',
    status: 429,
    times: times ?? 1,
    path: path ?? '^/api/',
    headers: {
      'content-type': 'application/json',
      ...(retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) }),
    },
    body: JSON.stringify(errorBody(429, 1003, 'API rate limit exceeded')),
  }
}

async function answer(site: Site, exchange: Exchange): Promise<void> {
  const { method, path, response } = exchange
  if (path.startsWith('/api/v2/')) return answerApi(site, exchange)
  if (method === 'GET' && /^\/auth\/?$/.test(path)) return sendSignIn(site, exchange)
  if (method === 'POST' && path === '/auth/claim') {
    const { code, username } = ByUsername.extend({ code: z.string() }).parse(
      JSON.parse(exchange.body.toString('utf8')),
    )
    const claimed = site.directory.claim(code, username)
    return sendJson(response, claimed ? 200 : 404, { claimed })
  }
  const person = site.state.accounts.find(({ uuid }) => path === `/users/${uuid}/avatar`)
  if (method === 'GET' && person) {
    response.writeHead(200, { 'content-type': 'image/svg+xml', 'cache-control': 'max-age=3600' })
    response.end(avatar(person))
    return
  }
  response.writeHead(404, { 'content-type': 'text/html' })
  response.end('<html><head><title>Not Found</title></head><body><h1>404 Not Found</h1></body></html>')
}

function sendSignIn({ state }: Site, { response }: Exchange): void {
  const { html, contentSecurityPolicy } = signInPage(state.accounts, randomBytes(12).toString('hex'))
  response.writeHead(200, {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': contentSecurityPolicy,
    'cache-control': 'no-store',
    'referrer-policy': 'no-referrer',
  })
  response.end(html)
}

function avatar({ title }: Account): string {
  const letter = escapeHtml(title.slice(0, 1))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64"><rect width="64" height="64" fill="#e5a00d"/><text x="32" y="43" font-family="sans-serif" font-size="32" text-anchor="middle">${letter}</text></svg>`
}
