import type { Context } from 'hono'
import { HTTPException } from 'hono/http-exception'

import { Problem } from '#contract/problem.ts'
import { catalogue, problemType } from '#contract/problems.ts'

import type { AppEnv } from './env.ts'

/** Renders any failure as RFC 9457. It must not assume that any middleware ran. */
export function problemResponse(error: unknown, c: Context<AppEnv>): Response {
  const problem = asProblem(error)
  const requestId = c.get('requestId') ?? crypto.randomUUID()
  if (problem.code === 'internal') {
    c.get('http')?.log('error', 'unexpected', { requestId, cause: error })
  } else if (problem.cause !== undefined) {
    c.get('http')?.log('warn', 'problem', { requestId, code: problem.code, cause: problem.cause })
  }
  c.set('problem', problem.code)

  const response = problemDocument(problem, requestId)
  const allow = c.get('allow')
  if (problem.code === 'method-not-allowed' && allow) response.headers.set('Allow', allow)
  return response
}

export function problemDocument({ code, detail, members }: Problem, requestId: string): Response {
  const { status, title } = catalogue[code]
  const headers = new Headers({
    'Content-Type': 'application/problem+json',
    'Cache-Control': 'no-store',
    'X-Request-Id': requestId,
  })
  const { retryAfter } = members
  if (typeof retryAfter === 'number') headers.set('Retry-After', String(retryAfter))
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer realm="medianest"')
  if (code === 'upgrade-required') headers.set('Upgrade', 'websocket')
  const body = {
    type: problemType(code),
    title,
    status,
    code,
    instance: `urn:medianest:request:${requestId}`,
    requestId,
    ...(detail && { detail }),
    ...members,
  }
  return new Response(JSON.stringify(body), { status, headers })
}

function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error
  if (error instanceof HTTPException && error.status === 400) {
    return new Problem('invalid-request', {
      members: { errors: [{ pointer: 'json#/', detail: 'The body is not valid JSON' }] },
    })
  }
  return new Problem('internal')
}
