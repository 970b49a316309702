import { Problem } from '#contract/problem.ts'

import { firstIdAt, showDeliveryId } from './delivery-id.ts'
import { pendingStatuses, scanAsked, type Delivery } from './delivery.ts'
import type { WebhooksDependencies } from './ports.ts'
import { hourMs, minuteMs } from './sender.ts'
import { workOf, type Work } from './work.ts'

export type Processed = { readonly done: true } | { readonly done: false; readonly retryAfterSeconds: number }

const firstRetrySeconds = 5
const longestRetrySeconds = 300
const sweepLimit = 100
const sweepRangeMs = 24 * hourMs
/** Far later than the last retry, so that only what the queue has lost is left. */
const retryLostMs = 10 * minuteMs

/** Does the work of stored deliveries, once each, however often the queue brings them. */
export function createProcessing(deps: WebhooksDependencies) {
  const { store, effects, log } = deps
  const at = () => new Date(deps.now()).toISOString()

  async function attempt(id: number): Promise<void> {
    const delivery = await store.find(id)
    if (!delivery || !isPending(delivery)) return
    const work = workOf(delivery, deps.libraries)
    if (!work) {
      await store.settlePending(id, { status: 'ignored', at: at() })
      return
    }
    if (work.refresh) {
      await effects.invalidate(work.refresh.libraryKey)
      if (work.refresh.scan) await effects.scan(work.refresh.libraryKey, id)
    }
    // Claimed here: what comes before may be repeated after a failure, an event may not be told twice.
    if (!(await store.settlePending(id, { status: 'processed', outcome: outcomeOf(work), at: at() }))) return
    await effects.publish(work.audience, work.event).catch((error: unknown) => {
      log('warn', 'webhook-not-published', { delivery: showDeliveryId(id), cause: reason(error) })
    })
  }

  async function failed(id: number, error: unknown): Promise<Processed> {
    const cause = reason(error)
    log('warn', 'webhook-failed', { delivery: showDeliveryId(id), cause })
    // The queue tries again even when the store is what has failed.
    const attempts = await store.recordFailure(id, cause).catch(() => undefined)
    const seconds = firstRetrySeconds * 2 ** Math.max(0, (attempts ?? 1) - 1)
    return { done: false, retryAfterSeconds: Math.min(seconds, longestRetrySeconds) }
  }

  return {
    async process(id: number): Promise<Processed> {
      try {
        await attempt(id)
        return { done: true }
      } catch (error) {
        return failed(id, error)
      }
    },

    /** The queue has given up on it: from now on only an admin's replay brings it back. */
    async dead(id: number): Promise<void> {
      if (await store.settlePending(id, { status: 'dead', at: at() })) {
        log('error', 'webhook-dead', { delivery: showDeliveryId(id) })
      }
    },

    /** Queues again what was stored and never processed; answers how many. */
    async sweep(): Promise<number> {
      const now = deps.now()
      const ids = await store.pending({
        afterId: firstIdAt(now - sweepRangeMs),
        storedBeforeId: firstIdAt(now - minuteMs),
        retryingBeforeId: firstIdAt(now - retryLostMs),
        limit: sweepLimit,
      })
      if (ids.length === 0) return 0
      await deps.enqueue(ids)
      log('warn', 'webhooks-swept', { count: ids.length })
      return ids.length
    },
  }
}

function isPending({ status }: Delivery): boolean {
  return pendingStatuses.some((pending) => pending === status)
}

function outcomeOf({ refresh, event }: Work): string {
  const effects = [
    ...(refresh ? [`refreshed library ${refresh.libraryKey}`] : []),
    ...(refresh?.scan ? [scanAsked] : []),
    `told ${event.event}`,
  ]
  return effects.join(', ')
}

/** The kind of failure alone: messages may quote an upstream. */
function reason(error: unknown): string {
  if (error instanceof Problem) return error.code
  return error instanceof Error ? error.name : 'unknown'
}
