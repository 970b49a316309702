export type Timers = {
  readonly now: () => number
  readonly setTimeout: (run: () => void, ms: number) => NodeJS.Timeout
}

export type Throttle<T> = {
  readonly offer: (value: T) => void
  /** Forgets what still waits. */
  readonly stop: () => void
}

/** Passes the newest value on, never two within the interval; the last one is not lost. */
export function createThrottle<T>(intervalMs: number, emit: (value: T) => void, timers: Timers): Throttle<T> {
  let lastAt = Number.NEGATIVE_INFINITY
  let waiting: { value: T; timer: NodeJS.Timeout } | undefined
  const pass = (value: T): void => {
    lastAt = timers.now()
    waiting = undefined
    emit(value)
  }
  return {
    offer: (value) => {
      if (waiting) {
        waiting.value = value
        return
      }
      const leftMs = lastAt + intervalMs - timers.now()
      if (leftMs <= 0) return pass(value)
      const entry = { value, timer: timers.setTimeout(() => pass(entry.value), leftMs) }
      waiting = entry
    },
    stop: () => {
      if (waiting) clearTimeout(waiting.timer)
      waiting = undefined
    },
  }
}
