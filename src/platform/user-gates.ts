import type { WindowDecision, WindowPolicy } from '#resilience/sliding-window.ts'

import type { AccessTokens, Gates } from '../auth/ports.ts'
import type { UserGate } from '../durable/user-gate.ts'
import type { NamedPolicy } from '../durable/windows.ts'
import type { AccessControl, Allowance, LimitName } from '../http/env.ts'
import type { Quota } from '../youtube/ports.ts'

type Namespace = DurableObjectNamespace<UserGate>

/** What a gate is told about the server's content. */
export type ContentGates = {
  /** Remembers a change a user has made, by its number. */
  noteChange(userId: string, change: number): Promise<void>
  noteShare(userId: string, share: string): Promise<'new' | 'same'>
  /** Whether the user is signed in and has that share still. */
  holdsScope(userId: string, scopeVersion: number): Promise<boolean>
}

export function createGates(namespace: Namespace, now: () => number): Gates & ContentGates {
  const gate = (userId: string) => namespace.getByName(userId)
  return {
    open: (userId, { id, refreshHash, expiresAt }, { role, pinId }) =>
      gate(userId).open(
        id,
        { refreshHash, createdAt: now(), expiresAt },
        { role, confirmedAt: now() },
        pinId,
      ),
    check: (userId, sessionId, refreshHash) => gate(userId).check(sessionId, refreshHash, now()),
    rotate: (userId, { id, presentedHash, nextHash, expiresAt }) =>
      gate(userId).rotate(id, presentedHash, { refreshHash: nextHash, expiresAt }, now()),
    confirm: async (userId, role) => {
      await gate(userId).confirm(role, now())
    },
    newScope: async (userId) => {
      await gate(userId).newScope(now())
    },
    noteChange: async (userId, change) => {
      await gate(userId).noteChange(change)
    },
    noteShare: async (userId, share) => gate(userId).noteShare(share, now()),
    holdsScope: async (userId, scopeVersion) => gate(userId).holdsScope(scopeVersion, now()),
    revoke: async (userId, sessionId) => {
      await gate(userId).revoke(sessionId, now())
    },
    revokeAll: async (userId) => {
      await gate(userId).revokeAll(now())
    },
  }
}

export function createAccessControl(
  namespace: Namespace,
  accessTokens: AccessTokens,
  limits: Readonly<Record<LimitName, { readonly limit: number; readonly windowMs: number }>>,
  now: () => number,
): AccessControl {
  return {
    identify: (token) => accessTokens.verify(token),

    async admit(claims, limit) {
      const policy: NamedPolicy | undefined = limit && { name: limit, ...limits[limit] }
      const answer = await namespace.getByName(claims.userId).admit(claims.sessionId, policy, now())
      if (!answer.alive) return { admitted: false, problem: 'session-revoked' }
      const { account, decision } = answer
      const { role, scopeVersion, changed } = account
      const scope = `${claims.userId}.${scopeVersion}`
      const caller = { ...claims, role, scope, ...(changed !== undefined && { changed }) }
      if (!policy || !decision) return { admitted: true, caller }
      const allowance = allowanceOf(policy, decision)
      if (decision.allowed) return { admitted: true, caller, allowance }
      return {
        admitted: false,
        problem: 'rate-limited',
        allowance,
        retryAfter: seconds(decision.retryAfterMs),
      }
    },
  }
}

const seconds = (ms: number) => Math.ceil(ms / 1000)

export function allowanceOf(policy: NamedPolicy, decision: WindowDecision): Allowance {
  return {
    policy: policy.name,
    limit: policy.limit,
    windowSeconds: seconds(policy.windowMs),
    remaining: decision.remaining,
    resetSeconds: seconds(decision.resetMs),
  }
}

/** The allowance of downloads, kept by the user's gate and stored before the answer. */
export function createQuota(namespace: Namespace, policy: WindowPolicy, now: () => number): Quota {
  const named = { name: 'downloads', ...policy }
  return {
    take: async (userId, downloadId) => namespace.getByName(userId).take(named, now(), downloadId),
    peek: async (userId) => namespace.getByName(userId).peek(named, now()),
  }
}
