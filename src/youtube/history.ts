import type { Download } from '#contract/downloads.ts'
import { Problem } from '#contract/problem.ts'

import type { Caller } from '../http/env.ts'
import type { HistoryFilter, HistoryStore } from './history-ports.ts'
import type { Queue, Scope } from './ports.ts'
import { lastDays, shapeStatistics } from './statistics.ts'
import { withLiveStates } from './view.ts'

export type History = ReturnType<typeof createHistory>

type Dependencies = {
  readonly store: HistoryStore
  readonly queue: Pick<Queue, 'liveStates'>
  readonly now: () => number
}

type ListQuery = Omit<HistoryFilter, 'offset'> & {
  readonly scope: 'own' | 'all'
  readonly page: number
}

/** Downloads that were asked for, as their owners and admins look at them. */
export function createHistory({ store, queue, now }: Dependencies) {
  return {
    async find(caller: Caller, id: string): Promise<Download> {
      const download = await store.find(reachOf(caller), id)
      if (!download) throw new Problem('not-found')
      const [live] = await withLiveStates(queue, [download])
      return live ?? download
    },

    async list(caller: Caller, { scope, page, ...filter }: ListQuery) {
      const { limit } = filter
      const offset = (page - 1) * limit
      const { downloads, total } = await store.list(scopeOf(caller, scope), { ...filter, offset })
      const meta = { page, limit, total, totalPages: Math.ceil(total / limit) }
      return { data: await withLiveStates(queue, downloads), meta }
    },

    async statistics(caller: Caller, { scope, days }: { scope: 'own' | 'all'; days: number }) {
      const shown = lastDays(days, now())
      const rows = await store.statistics(scopeOf(caller, scope), shown[0] ?? '')
      return { scope, days, ...shapeStatistics(rows, shown) }
    },
  }
}

/** Whose downloads are meant. */
export function scopeOf({ userId, role }: Caller, wanted: 'own' | 'all'): Scope {
  if (wanted === 'own') return { userId }
  if (role !== 'admin') throw new Problem('forbidden')
  return 'all'
}

/** Among whose downloads one that is named may be. */
export const reachOf = ({ userId, role }: Caller): Scope => (role === 'admin' ? 'all' : { userId })
