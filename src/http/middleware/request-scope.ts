import type { MiddlewareHandler } from 'hono'

import type { AppEnv, HttpDependencies } from '../env.ts'
import { allowanceHeaders } from '../rate-limit-headers.ts'

/** Gives every request its id and dependencies, and logs its end in one line without paths, which may hold secrets. */
export function requestScope(http: HttpDependencies): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const started = http.now()
    const requestId = http.newId()
    c.set('http', http)
    c.set('requestId', requestId)
    c.set('timings', [])
    await next()
    const durationMs = http.now() - started
    // A 101 response has immutable headers, and a socket needs none of these.
    if (c.res.status !== 101) {
      c.header('X-Request-Id', requestId)
      c.header('X-Content-Type-Options', 'nosniff')
      c.header('Server-Timing', serverTiming([...c.var.timings, { name: 'total', ms: durationMs }]))
      if (!c.res.headers.has('Cache-Control')) c.header('Cache-Control', 'no-store')
      for (const [name, value] of c.var.allowance ? allowanceHeaders(c.var.allowance) : [])
        c.header(name, value)
    }
    http.log(c.res.status >= 500 ? 'error' : 'info', 'request', {
      requestId,
      method: c.req.method,
      route: c.get('route'),
      status: c.res.status,
      durationMs,
      ...(c.var.caller && { userId: c.var.caller.userId }),
      ...(c.var.problem && { problem: c.var.problem }),
    })
  }
}

function serverTiming(timings: AppEnv['Variables']['timings']): string {
  return timings
    .map(({ name, ms, description }) => `${name};dur=${ms}${description ? `;desc="${description}"` : ''}`)
    .join(', ')
}
