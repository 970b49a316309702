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
    c.get('http')?.log('error', 'unexpected', { requestId, cause: describe(error) })
  } else if (problem.cause !== undefined) {
    c.get('http')?.log('warn', 'problem', { requestId, code: problem.code, cause: describe(problem.cause) })
  }
  c.set('problem', problem.code)

  const { status, title } = catalogue[problem.code]
  const { retryAfter } = problem.members
  const body = {
    type: problemType(problem.code),
    title,
    status,
    code: problem.code,
    instance: `urn:medianest:request:${requestId}`,
    requestId,
    ...(problem.detail && { detail: problem.detail }),
    ...problem.members,
  }
  const headers = new Headers({ 'Content-Type': 'application/problem+json', 'Cache-Control': 'no-store' })
  if (typeof retryAfter === 'number') headers.set('Retry-After', String(retryAfter))
  if (status === 401) headers.set('WWW-Authenticate', 'Bearer realm="medianest"')
  const allow = c.get('allow')
  if (problem.code === 'method-not-allowed' && allow) headers.set('Allow', allow)
  if (problem.code === 'upgrade-required') headers.set('Upgrade', 'websocket')
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

/** For the log: the kind of failure and its message; the logger takes secrets out. */
function describe(error: unknown): {
  readonly name: string
  readonly message: string
  readonly stack?: string
} {
  if (!(error instanceof Error)) return { name: typeof error, message: String(error) }
  return { name: error.name, message: error.message, ...(error.stack && { stack: error.stack }) }
}
