/** All places are taken. */
export class BulkheadFull extends Error {
  override readonly name = 'BulkheadFull'
  readonly limit: number

  constructor(limit: number) {
    super(`All ${limit} places are taken`)
    this.limit = limit
  }
}

export type Bulkhead = {
  readonly limit: number
  /** Takes a place and answers how to leave it, which may be called more than once; undefined when all are taken. */
  readonly tryEnter: () => (() => void) | undefined
  /** Runs the call in a place of its own, or rejects with `BulkheadFull` without calling. */
  readonly run: <T>(call: () => Promise<T>) => Promise<T>
  readonly active: () => number
}

export type Lapse = { readonly holdMs: number; readonly now: () => number }

/**
 * Bounds how many calls are out at once. Nobody queues: one request must not wake another's promise.
 * With `lapse`, a place falls free after `holdMs`, because a cancelled request never gets to leave it.
 */
export function createBulkhead(limit: number, lapse?: Lapse): Bulkhead {
  const places = new Map<symbol, number>()

  const active = (): number => {
    if (lapse) {
      const start = lapse.now() - lapse.holdMs
      for (const [place, enteredAt] of places) if (enteredAt <= start) places.delete(place)
    }
    return places.size
  }

  const tryEnter = (): (() => void) | undefined => {
    if (active() >= limit) return undefined
    const place = Symbol('place')
    places.set(place, lapse?.now() ?? 0)
    return () => {
      places.delete(place)
    }
  }

  const run = async <T>(call: () => Promise<T>): Promise<T> => {
    const leave = tryEnter()
    if (!leave) throw new BulkheadFull(limit)
    try {
      return await call()
    } finally {
      leave()
    }
  }

  return { limit, tryEnter, run, active }
}
