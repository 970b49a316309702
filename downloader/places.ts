/** So many at once; whoever comes later waits for a place, in the order in which they came. */
export type Places = {
  /** Answers how to leave. Rejects with the reason of the signal when that comes before a place. */
  readonly enter: (signal: AbortSignal) => Promise<() => void>
}

export function createPlaces(limit: number): Places {
  const waiting = new Set<() => void>()
  let taken = 0

  const leave = (): void => {
    const [next] = waiting
    if (!next) {
      taken -= 1
      return
    }
    waiting.delete(next)
    next()
  }

  return {
    enter: async (signal) => {
      if (taken < limit) {
        taken += 1
        return leave
      }
      signal.throwIfAborted()
      const { promise, resolve, reject } = Promise.withResolvers<void>()
      const giveUp = (): void => {
        waiting.delete(resolve)
        reject(signal.reason)
      }
      waiting.add(resolve)
      signal.addEventListener('abort', giveUp, { once: true })
      await promise.finally(() => signal.removeEventListener('abort', giveUp))
      return leave
    },
  }
}
