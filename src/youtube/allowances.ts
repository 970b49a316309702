import { isProblem, Problem } from '#contract/problem.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import type { Allowance } from '../http/env.ts'
import type { DownloadStore, YoutubeDependencies } from './ports.ts'

export type Allowances = ReturnType<typeof createAllowances>

type Dependencies = Pick<YoutubeDependencies, 'quota' | 'limit' | 'storage' | 'now'> & {
  readonly store: Pick<DownloadStore, 'bytesOf'>
}

type Hear = (allowance: Allowance) => void

/** How many downloads a user may ask for, and how much space is left for them. */
export function createAllowances({ quota, store, limit, storage, now }: Dependencies) {
  const windowSeconds = limit.windowMs / 1000

  const admit = (decision: WindowDecision, hear: Hear): void => {
    const { remaining, resetMs } = decision
    const resetSeconds = Math.ceil(resetMs / 1000)
    hear({ policy: 'downloads', limit: limit.limit, windowSeconds, remaining, resetSeconds })
    if (decision.allowed) return
    const retryAfter = Math.max(1, Math.ceil(decision.retryAfterMs / 1000))
    throw new Problem('rate-limited', { members: { retryAfter, limit: limit.limit, windowSeconds } })
  }

  /** Reads nothing where nothing is limited. */
  const requireSpace = async (userId: string): Promise<void> => {
    for (const [scope, limitBytes] of [
      [{ userId }, storage.user],
      ['all', storage.total],
    ] as const) {
      const usedBytes = limitBytes === undefined ? 0 : await store.bytesOf(scope)
      if (limitBytes !== undefined && usedBytes >= limitBytes)
        throw new Problem('storage-quota-exceeded', { members: { usedBytes, limitBytes } })
    }
  }

  return {
    requireSpace,

    /** Charges nothing; refuses what would be refused. */
    async require(userId: string, hear: Hear): Promise<void> {
      await requireSpace(userId)
      admit(await quota.peek(userId), hear)
    },

    async charge(userId: string, downloadId: string, hear: Hear): Promise<void> {
      admit(await quota.take(userId, downloadId), hear)
    },

    /** Whether the charge of a download is remembered, if there was one. */
    remembersChargeOf: ({ createdAt }: { readonly createdAt: string }): boolean =>
      now() - Date.parse(createdAt) < limit.windowMs,

    async overview(userId: string) {
      const [{ remaining, resetMs }, usedBytes, isFull] = await Promise.all([
        quota.peek(userId),
        store.bytesOf({ userId }),
        requireSpace(userId).then(() => false, isStorageExceeded),
      ])
      return {
        used: limit.limit - remaining,
        limit: limit.limit,
        remaining,
        windowSeconds,
        canDownload: remaining > 0 && !isFull,
        ...(resetMs > 0 && { resetAt: new Date(now() + resetMs).toISOString() }),
        storage: { usedBytes, ...(storage.user !== undefined && { limitBytes: storage.user }), isFull },
      }
    },
  }
}

function isStorageExceeded(error: unknown): true {
  if (isProblem(error, 'storage-quota-exceeded')) return true
  throw error
}
