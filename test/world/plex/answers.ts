import type { Exchange } from '../stand-in.ts'
import type { Row } from './row.ts'
import { toXml } from './xml.ts'

const titles = {
  400: 'Bad Request',
  404: 'Not Found',
  409: 'Conflict',
} as const

// The 401 page alone sends browsers on to the web app, as the real one does.
const unauthorized =
  "<html><head><script>window.location = window.location.href.match(/(^.+\\/)[^\\/]*$/)[1] + 'web/index.html';</script>" +
  '<title>Unauthorized</title></head><body><h1>401 Unauthorized</h1></body></html>'

const maintenance =
  '<?xml version="1.0" encoding="UTF-8"?>\n<Response code="503" title="Maintenance" ' +
  'status="Plex Media Server is currently running startup maintenance tasks."/>\n'

/** JSON when the Accept header asks for it, XML otherwise. */
export function sendContainer(
  exchange: Exchange,
  container: Row,
  headers: Record<string, string> = {},
): void {
  const json = exchange.request.headers.accept?.includes('application/json') ?? false
  exchange.response.writeHead(200, {
    'content-type': json ? 'application/json' : 'text/xml;charset=utf-8',
    'x-plex-protocol': '1.0',
    'cache-control': 'no-cache',
    ...headers,
  })
  exchange.response.end(
    json ? JSON.stringify({ MediaContainer: container }) : toXml('MediaContainer', container),
  )
}

/** Errors are HTML whatever the caller accepts. */
export function sendError(exchange: Exchange, status: 400 | 401 | 404 | 409): void {
  const page =
    status === 401
      ? unauthorized
      : `<html><head><title>${titles[status]}</title></head><body><h1>${status} ${titles[status]}</h1></body></html>`
  exchange.response.writeHead(status, { 'content-type': 'text/html', 'x-plex-protocol': '1.0' })
  exchange.response.end(page)
}

export function sendMaintenance(exchange: Exchange): void {
  exchange.response.writeHead(503, { 'content-type': 'text/xml;charset=utf-8' })
  exchange.response.end(maintenance)
}

/** What actions answer: 200, no body, called HTML. */
export function sendDone(exchange: Exchange, headers: Record<string, string> = {}): void {
  exchange.response.writeHead(200, { 'content-type': 'text/html', 'content-length': '0', ...headers })
  exchange.response.end()
}

export function sendJpeg(exchange: Exchange, image: Buffer): void {
  exchange.response.writeHead(200, { 'content-type': 'image/jpeg', 'content-length': image.length })
  exchange.response.end(image)
}
