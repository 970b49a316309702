import type { Context, MiddlewareHandler } from 'hono'
import { getCookie } from 'hono/cookie'

import { Problem } from '#contract/problem.ts'

import type { Access, Allowance, AppEnv, Caller, Claims, LimitName } from '../env.ts'

export const accessCookie = '__Host-medianest-access'

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

// Between the two halves of the guard only; nothing else may read claims that the gate has not confirmed.
const unconfirmed = new WeakMap<Context, Claims>()

/** First half: who says the token it is? Costs no I/O, and comes before the input is even looked at. */
export function identify(access: Access): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const token = access === 'public' || access === 'machine' ? undefined : credential(c)
    if (token === undefined && (access === 'user' || access === 'admin')) throw new Problem('unauthenticated')
    if (token !== undefined) {
      const claims = await c.var.http.access.identify(token)
      if (access === 'admin' && claims.role !== 'admin') throw new Problem('forbidden')
      unconfirmed.set(c, claims)
    }
    await next()
  }
}

/** Second half: is the session alive, and is there allowance left? One call to the user's gate. */
export function admit(access: Access, limit: LimitName | undefined): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const claims = unconfirmed.get(c)
    const caller = claims && (await confirmClaims(c, claims, limit))
    if (!caller && (access === 'user' || access === 'admin')) throw new Problem('unauthenticated')
    if (access === 'admin' && caller?.role !== 'admin') throw new Problem('forbidden')
    await next()
  }
}

/** Both halves at once, for a feature that takes other credentials too; `undefined` when none was sent. */
export async function confirmCaller(c: Context<AppEnv>): Promise<Caller | undefined> {
  const token = credential(c)
  return token === undefined ? undefined : confirmClaims(c, await c.var.http.access.identify(token))
}

export async function confirmClaims(c: Context<AppEnv>, claims: Claims, limit?: LimitName): Promise<Caller> {
  const started = c.var.http.now()
  const decision = await c.var.http.access.admit(claims, limit)
  c.var.timings.push({ name: 'gate', ms: c.var.http.now() - started })
  if (!decision.admitted) {
    if (decision.problem === 'session-revoked') throw new Problem('session-revoked')
    c.set('allowance', decision.allowance)
    throw rateLimited(decision.allowance, decision.retryAfter)
  }
  c.set('caller', decision.caller)
  if (decision.allowance) c.set('allowance', decision.allowance)
  return decision.caller
}

export function rateLimited(
  { limit, windowSeconds }: Allowance,
  retryAfter: number,
): Problem<'rate-limited'> {
  return new Problem('rate-limited', {
    members: { retryAfter: Math.max(1, retryAfter), limit, windowSeconds },
  })
}

/** The bearer token, or a browser's cookie; a cookie counts only from a page of an origin we trust. */
function credential(c: Context<AppEnv>): string | undefined {
  const authorization = c.req.header('authorization')
  if (authorization !== undefined) {
    const token = /^Bearer ([\w.~+/=-]{1,4096})$/i.exec(authorization)?.[1]
    if (!token) throw new Problem('unauthenticated')
    return token
  }
  const cookie = getCookie(c, accessCookie)
  if (cookie) refuseForeignOrigin(c)
  return cookie
}

/** Refuses what another site makes a browser send along with our cookies. WebSocket upgrades count as unsafe. */
export function refuseForeignOrigin(c: Context<AppEnv>): void {
  if (safeMethods.has(c.req.method) && c.req.header('upgrade') === undefined) return
  const origin = c.req.header('origin')
  const ours = new URL(c.req.url).origin
  if (origin === undefined || (origin !== ours && !c.var.http.allowedOrigins.includes(origin))) {
    throw new Problem('origin-refused')
  }
}
