import { errors, jwtVerify, SignJWT } from 'jose'
import * as z from 'zod'

import { Problem } from '#contract/problem.ts'

import type { AccessTokens } from '../auth/ports.ts'
import type { KeyRing } from '../config.ts'

const issuer = 'medianest'
const lifetimeSeconds = 15 * 60

const Payload = z.object({ sub: z.string(), sid: z.string(), role: z.enum(['user', 'admin']) })

/** HS256 access tokens. The ring's first key signs, each of its keys verifies. */
export function createAccessTokens(ring: KeyRing, now: () => number): AccessTokens {
  const keys = new Map<string, Promise<CryptoKey>>()
  const keyOf = async (id: string | undefined): Promise<CryptoKey> => {
    const entry = ring.find((key) => key.id === id)
    if (!entry) throw new errors.JOSEError('unknown key')
    const raw = Uint8Array.fromBase64(entry.secret, { alphabet: 'base64url' })
    const known =
      keys.get(entry.id) ??
      crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify'])
    keys.set(entry.id, known)
    return known
  }

  return {
    async issue({ userId, sessionId, role }) {
      const kid = ring[0]?.id ?? ''
      const issuedAt = Math.floor(now() / 1000)
      const token = await new SignJWT({ sid: sessionId, role })
        .setProtectedHeader({ alg: 'HS256', kid, typ: 'at+jwt' })
        .setIssuer(issuer)
        .setAudience(issuer)
        .setSubject(userId)
        .setIssuedAt(issuedAt)
        .setExpirationTime(issuedAt + lifetimeSeconds)
        .sign(await keyOf(kid))
      return { token, expiresAt: new Date((issuedAt + lifetimeSeconds) * 1000) }
    },

    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, ({ kid }) => keyOf(kid), {
          algorithms: ['HS256'],
          typ: 'at+jwt',
          issuer,
          audience: issuer,
          requiredClaims: ['sub', 'sid', 'exp', 'iat'],
          currentDate: new Date(now()),
        })
        const { sub, sid, role } = Payload.parse(payload)
        return { userId: sub, sessionId: sid, role }
      } catch (cause) {
        throw new Problem(cause instanceof errors.JWTExpired ? 'token-expired' : 'unauthenticated')
      }
    },
  }
}
