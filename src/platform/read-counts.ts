import type { Reads } from '../plex/hit-ratio.ts'

/** Counts what this isolate has read from the cache, until somebody takes the count away. */
export function createReadCounts() {
  const nothing: Reads = { cached: 0, asked: 0 }
  let reads = nothing
  return {
    count: (how: keyof Reads): void => {
      reads = { ...reads, [how]: reads[how] + 1 }
    },
    take: (): Reads => {
      const taken = reads
      reads = nothing
      return taken
    },
  }
}
