import type { FailureCode } from '#contract/failures.ts'
import { freeBytes, sizeOf } from '../disk.ts'

export type WatchOptions = {
  readonly directory: string
  readonly stallMs: number
  readonly reserveBytes: number
  /** What the job's directory may weigh before something is wrong. */
  readonly maxBytes: number
  readonly onTrouble: (code: FailureCode) => void
  /** Told each time it has looked: what lies there, and whether anything has come since. */
  readonly onLook: (seen: { readonly bytes: number; readonly grown: boolean }) => void
}

export type Watch = {
  /** Something has happened that is not seen on disk. */
  readonly alive: () => void
  readonly stop: () => void
}

/**
 * Ends a run that stands still: no word of it and no growth on disk, since ffmpeg says nothing while it works. Also one
 * that eats the disk, because what a site says of sizes need not be true.
 */
export function watchRun(options: WatchOptions): Watch {
  const { directory, stallMs, reserveBytes, maxBytes, onTrouble, onLook } = options
  let lastSize = -1
  let lastSignAt = performance.now()
  let stopped = false
  const look = async (): Promise<void> => {
    const [size, free] = await Promise.all([sizeOf(directory), freeBytes(directory)])
    if (stopped) return
    if (size !== lastSize) lastSignAt = performance.now()
    onLook({ bytes: size, grown: size > lastSize })
    lastSize = size
    if (size > maxBytes) onTrouble('too-large')
    // Below half of the reserve somebody else's files are in danger.
    else if (free < reserveBytes / 2) onTrouble('no-space')
    else if (performance.now() - lastSignAt >= stallMs) onTrouble('stalled')
  }
  const timer = setInterval(() => void look().catch(() => undefined), Math.min(1000, stallMs / 4))
  return {
    alive: () => {
      lastSignAt = performance.now()
    },
    stop: () => {
      stopped = true
      clearInterval(timer)
    },
  }
}
