import { env } from 'cloudflare:workers'

import { configOf } from '../../../src/config.ts'
import type { Claims, Role } from '../../../src/http/env.ts'
import { createAccessTokens } from '../../../src/platform/access-tokens.ts'
import { signIn, type Username } from './client.ts'

const lifetimeMs = 3_600_000

/** Someone who has signed in once: as many further sessions as a test needs, without asking plex.tv each time. */
export async function member(username: Username) {
  const { user } = await signIn(username)
  return {
    userId: user.id,
    role: user.role,
    session: () => openSession(user.id, user.role),
    gate: env.USER_GATE.getByName(user.id),
  }
}
export type Member = Awaited<ReturnType<typeof member>>

async function openSession(userId: string, role: Role): Promise<Claims & { readonly token: string }> {
  const claims = { userId, role, sessionId: crypto.randomUUID() }
  const session = { refreshHash: 'none', createdAt: Date.now(), expiresAt: Date.now() + lifetimeMs }
  const pinId = Math.floor(Math.random() * 1e9)
  await env.USER_GATE.getByName(userId).open(
    claims.sessionId,
    session,
    { role, confirmedAt: Date.now() },
    pinId,
  )
  return { ...claims, token: await tokenFor(claims) }
}

/** An access token made as the Worker makes them, `agoMs` ago. */
export async function tokenFor(claims: Claims, agoMs = 0): Promise<string> {
  const tokens = createAccessTokens(configOf(env).accessTokenKeys, () => Date.now() - agoMs)
  return (await tokens.issue(claims)).token
}
