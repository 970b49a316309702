import type { Context } from 'hono'
import { deleteCookie, getCookie, setCookie } from 'hono/cookie'

import { Problem } from '#contract/problem.ts'

import { clientAddress } from '../http/client-address.ts'
import type { AppEnv } from '../http/env.ts'
import { data } from '../http/envelope.ts'
import { feature, type Feature } from '../http/feature.ts'
import { accessCookie, rateLimited, refuseForeignOrigin } from '../http/middleware/guard.ts'
import { opaque, operation } from '../http/operation.ts'
import {
  CurrentSession,
  PendingPin,
  PinParam,
  Refresh,
  SignedIn,
  SignOut,
  StartedPin,
  StartPin,
} from './schema.ts'
import type { Auth, SignInResult } from './service.ts'

const startPin = operation({
  id: 'startPlexSignIn',
  method: 'post',
  path: '/plex/pin',
  summary: 'Start signing in with Plex',
  access: 'public',
  request: { json: StartPin },
  responses: { 201: data(StartedPin) },
  problems: ['rate-limited', 'plex-tv-unavailable', 'origin-refused'],
})

const pollPin = operation({
  id: 'finishPlexSignIn',
  method: 'get',
  path: '/plex/pin/:id',
  summary: 'Ask whether the sign-in was approved, and collect the session',
  access: 'public',
  request: { param: PinParam },
  responses: { 200: data(SignedIn), 202: data(PendingPin) },
  problems: ['not-found', 'pin-expired', 'not-a-member', 'rate-limited', 'plex-tv-unavailable'],
})

const refresh = operation({
  id: 'refreshSession',
  method: 'post',
  path: '/refresh',
  summary: 'Exchange the refresh token for new tokens',
  access: 'public',
  request: { json: Refresh },
  responses: { 200: data(SignedIn) },
  problems: [
    'unauthenticated',
    'session-revoked',
    'not-a-member',
    'plex-sign-in-required',
    'plex-tv-unavailable',
    'origin-refused',
    'rate-limited',
  ],
})

const readSession = operation({
  id: 'readSession',
  method: 'get',
  path: '/session',
  summary: 'Who am I?',
  access: 'user',
  responses: { 200: data(CurrentSession) },
})

const signOut = operation({
  id: 'signOut',
  method: 'post',
  path: '/sign-out',
  summary: 'End this session, or all of one’s sessions',
  access: 'user',
  request: { json: SignOut },
  responses: { 204: 'empty' },
})

const pinCookie = '__Host-medianest-pin'
const refreshCookie = '__Host-medianest-refresh'
const cookieOptions = { path: '/', secure: true, httpOnly: true, sameSite: 'Lax' } as const
/** plex.tv asks for no more than one poll a second. */
const pollSeconds = 1

export const auth = (service: Auth): Feature =>
  feature('/auth', (on) => {
    const spend = async (c: Context<AppEnv>, kind: 'sign-in' | 'sign-in-poll') => {
      const { allowance, retryAfter } = await service.spend(kind, clientAddress(c))
      c.set('allowance', allowance)
      if (retryAfter !== undefined) throw rateLimited(allowance, retryAfter)
    }

    on(startPin, async ({ c, json }) => {
      const trusted = json.forwardUrl === undefined || isTrusted(c, new URL(json.forwardUrl).origin)
      if (!trusted) throw new Problem('origin-refused')
      await spend(c, 'sign-in')
      const { pin, secret, authUrl } = await service.startPin(json.forwardUrl)
      setCookie(c, pinCookie, secret, { ...cookieOptions, expires: pin.expiresAt })
      const { id, code, expiresAt } = pin
      return c.json(
        {
          data: {
            id: String(id),
            code,
            authUrl,
            expiresAt: expiresAt.toISOString(),
            pollSeconds,
            pinSecret: secret,
          },
        },
        201,
      )
    })

    on(pollPin, async ({ c, param }) => {
      await spend(c, 'sign-in-poll')
      const header = c.req.header('x-pin-secret')
      const result = await service.pollPin(Number(param.id), header ?? getCookie(c, pinCookie))
      if (result === 'pending') return c.json({ data: { state: 'pending' as const, pollSeconds } }, 202)
      deleteCookie(c, pinCookie, cookieOptions)
      return c.json({ data: signedIn(c, result, header === undefined) }, 200)
    })

    on(refresh, async ({ c, json }) => {
      const cookie = json.refreshToken === undefined ? getCookie(c, refreshCookie) : undefined
      if (cookie !== undefined) refuseForeignOrigin(c)
      await spend(c, 'sign-in-poll')
      const result = await service.refresh(json.refreshToken ?? cookie)
      return c.json({ data: signedIn(c, result, cookie !== undefined) }, 200)
    })

    on(readSession, async ({ c, caller }) => {
      const { id, username } = await service.currentUser(caller.userId)
      return c.json({ data: { user: { id, username, role: caller.role }, sessionId: caller.sessionId } }, 200)
    })

    on(signOut, async ({ c, caller, json }) => {
      await service.signOut(caller, json.everywhere)
      for (const name of [accessCookie, refreshCookie]) deleteCookie(c, name, cookieOptions)
      return opaque(c.body(null, 204))
    })
  })

function isTrusted(c: Context<AppEnv>, origin: string): boolean {
  return origin === new URL(c.req.url).origin || c.var.http.allowedOrigins.includes(origin)
}

/** A page's script never sees a browser's tokens: they travel as cookies. */
function signedIn(c: Context<AppEnv>, result: SignInResult, browser: boolean) {
  const { user, accessToken, accessTokenExpiresAt, refreshToken, refreshTokenExpiresAt } = result
  c.header('Cache-Control', 'no-store')
  if (!browser) return { user, accessToken, accessTokenExpiresAt, refreshToken }
  setCookie(c, accessCookie, accessToken, { ...cookieOptions, expires: new Date(accessTokenExpiresAt) })
  setCookie(c, refreshCookie, refreshToken, { ...cookieOptions, expires: new Date(refreshTokenExpiresAt) })
  return { user, accessTokenExpiresAt }
}
