/** About as far back as the speed remembers. */
const memoryMs = 5000
/** Samples nearer to each other than this tell the timer's grain and not the line's speed. */
const leastMs = 100

export type SpeedMeter = {
  /** Bytes have arrived. */
  readonly add: (bytes: number, at: number) => void
  /** Bytes a second; undefined until there is something to go by. */
  readonly current: () => number | undefined
  readonly reset: () => void
}

/** An exponential moving average: steady while the line is, and soon right when it changes. */
export function createSpeedMeter(): SpeedMeter {
  let since: number | undefined
  let pending = 0
  let speed: number | undefined
  return {
    add: (bytes, at) => {
      if (since === undefined) {
        // Until now nobody had looked: what is there already came at no known speed.
        since = at
        return
      }
      pending += bytes
      const passed = at - since
      if (passed < leastMs) return
      const sample = (pending * 1000) / passed
      const share = 1 - Math.exp(-passed / memoryMs)
      speed = speed === undefined ? sample : speed + share * (sample - speed)
      since = at
      pending = 0
    },
    current: () => speed,
    reset: () => {
      since = undefined
      pending = 0
      speed = undefined
    },
  }
}
