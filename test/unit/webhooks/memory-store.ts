import type { Delivery } from '../../../src/webhooks/delivery.ts'
import type { DeliveryStore } from '../../../src/webhooks/ports.ts'

const isPending = ({ status }: Delivery) => status === 'stored' || status === 'retrying'

/** Deliveries in a map, with the same rules as the real store. */
export function createMemoryStore() {
  const rows = new Map<number, Delivery>()
  const change = (
    id: number,
    allowed: (row: Delivery) => boolean,
    changes: (row: Delivery) => Partial<Delivery>,
  ) => {
    const row = rows.get(id)
    if (!row || !allowed(row)) return undefined
    const changed = { ...row, ...changes(row) }
    rows.set(id, changed)
    return changed
  }

  const store: DeliveryStore = {
    async insertUnlessKnown(delivery, afterId) {
      const joined = [...rows.values()].find(
        (row) => row.dedupKey === delivery.dedupKey && row.id > afterId && row.status !== 'dead',
      )
      if (joined) return { outcome: 'joined', id: joined.id }
      if (rows.has(delivery.id)) return { outcome: 'id-taken' }
      rows.set(delivery.id, { ...delivery, attempts: 0 })
      return { outcome: 'inserted' }
    },
    find: async (id) => rows.get(id),
    async list({ source, status }, { offset, limit }) {
      const found = [...rows.values()]
        .filter((row) => (!source || row.source === source) && (!status || row.status === status))
        .toSorted((a, b) => b.id - a.id)
      return { deliveries: found.slice(offset, offset + limit), total: found.length }
    },
    async settlePending(id, { status, outcome, at }) {
      const changes = (row: Delivery) => ({
        status,
        processedAt: at,
        attempts: row.attempts + (status === 'processed' ? 1 : 0),
        ...(outcome !== undefined && { outcome }),
      })
      return change(id, isPending, changes) !== undefined
    },
    recordFailure: async (id, outcome) =>
      change(id, isPending, ({ attempts }) => ({ status: 'retrying', outcome, attempts: attempts + 1 }))
        ?.attempts,
    async reopen(id) {
      const { outcome: _outcome, processedAt: _processedAt, ...row } = rows.get(id) ?? { id: -1 }
      if (!('source' in row)) return undefined
      const reopened: Delivery = { ...row, status: 'stored', attempts: 0 }
      rows.set(id, reopened)
      return reopened
    },
    async pending({ afterId, storedBeforeId, retryingBeforeId, limit }) {
      return [...rows.values()]
        .filter(({ id, status }) => {
          const lost =
            (status === 'stored' && id < storedBeforeId) || (status === 'retrying' && id < retryingBeforeId)
          return id > afterId && lost
        })
        .map(({ id }) => id)
        .toSorted((a, b) => a - b)
        .slice(0, limit)
    },
    async tally(afterId, olderThanId) {
      const counted = [...rows.values()].filter(({ id }) => id > afterId)
      return [...Map.groupBy(counted, ({ source, status }) => `${source} ${status}`).values()].flatMap(
        (group) => {
          const [first] = group
          if (!first) return []
          const ids = group.map(({ id }) => id)
          const older = ids.filter((id) => id < olderThanId).length
          return [
            {
              source: first.source,
              status: first.status,
              count: ids.length,
              older,
              lastId: Math.max(...ids),
            },
          ]
        },
      )
    },
  }
  return { store, rows }
}
