import { sendJson, type Exchange } from '../stand-in.ts'
import { pinBody, resourceRows, userBody, type OwnedAs, type PlexServer } from './bodies.ts'
import type { Directory } from './directory.ts'
import type { Account, PlexTvState } from './state.ts'
import { toXml } from './xml.ts'

export type Site = {
  readonly directory: Directory
  readonly state: PlexTvState
  readonly now: () => number
  readonly ownedAs: OwnedAs
  server: PlexServer | undefined
}

export function errorBody(status: number, code: number, message: string): unknown {
  return { errors: [{ code, message, status }] }
}

type Reply = readonly [status: number, body?: unknown]

export function answerApi(site: Site, exchange: Exchange): void {
  const [status, body] = api(site, exchange)
  const { request, response } = exchange
  if (body === undefined) {
    response.writeHead(status)
    response.end()
  } else if (/application\/json/.test(request.headers.accept ?? '')) {
    sendJson(response, status, body)
  } else {
    response.writeHead(status, { 'content-type': 'application/xml; charset=utf-8' })
    response.end(toXml(exchange.path, body))
  }
}

/** plex.tv takes its `X-Plex-…` values from headers and from the query alike. */
function plexValue({ request, query }: Exchange, name: string): string {
  const header = request.headers[name.toLowerCase()]
  return (Array.isArray(header) ? header[0] : header) ?? query.get(name) ?? ''
}

function api(site: Site, exchange: Exchange): Reply {
  const { directory } = site
  const clientIdentifier = plexValue(exchange, 'X-Plex-Client-Identifier')
  if (!clientIdentifier) return [400, errorBody(400, 1000, 'X-Plex-Client-Identifier is missing')]
  const pinReply = pins(site, exchange, clientIdentifier)
  if (pinReply) return pinReply
  const token = plexValue(exchange, 'X-Plex-Token')
  const account = directory.accountOf(token)
  if (!account) return [401, errorBody(401, 1001, 'User could not be authenticated')]
  const base = baseOf(exchange)
  switch (`${exchange.method} ${exchange.path}`) {
    case 'GET /api/v2/user':
      return [200, userBody(account, token, base)]
    case 'GET /api/v2/resources':
      return [200, resourceRows(account, site.server, site.ownedAs)]
    case 'GET /api/v2/ping':
      return [200, { pong: true }]
    case 'PUT /api/v2/pins/link':
      return linkPin(site, exchange, account)
    case 'DELETE /api/v2/users/signout':
      directory.signOut(token)
      return [204]
    default:
      return [404, errorBody(404, 1002, 'Not found')]
  }
}

const noSuchPin: Reply = [404, errorBody(404, 1020, 'Code not found or expired')]

function pins({ directory, now }: Site, exchange: Exchange, clientIdentifier: string): Reply | undefined {
  const { method, path } = exchange
  const base = baseOf(exchange)
  if (method === 'POST' && path === '/api/v2/pins') {
    const form = new URLSearchParams(exchange.body.toString('utf8'))
    const strong = (exchange.query.get('strong') ?? form.get('strong')) === 'true'
    const product = plexValue(exchange, 'X-Plex-Product') || 'Plex Web'
    return [201, pinBody(directory.createPin({ clientIdentifier, product, strong }), now(), base)]
  }
  const id = /^\/api\/v2\/pins\/(\d+)$/.exec(path)?.[1]
  if (method !== 'GET' || id === undefined) return undefined
  const pin = directory.livePin((entry) => entry.id === Number(id))
  const code = exchange.query.get('code')
  if (!pin || pin.clientIdentifier !== clientIdentifier || (code && code !== pin.code)) return noSuchPin
  return [200, pinBody(pin, now(), base)]
}

/** Typed in by hand at plex.tv/link, which only knows the short codes. */
function linkPin({ directory }: Site, { body, query }: Exchange, { username }: Account): Reply {
  const code = new URLSearchParams(body.toString('utf8')).get('code') ?? query.get('code') ?? ''
  const pin = directory.livePin((entry) => !entry.strong && entry.code === code.toUpperCase())
  return pin && directory.claim(pin.code, username) ? [204] : noSuchPin
}

function baseOf({ request }: Exchange): string {
  return `http://${request.headers.host ?? '127.0.0.1'}`
}
