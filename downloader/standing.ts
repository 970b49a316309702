import type { DownloaderState } from '#contract/downloader-link.ts'
import type { SpaceLedger } from './disk.ts'
import type { Sites } from './sites.ts'

export type Standing = {
  /** What is told of the downloader: its own state, less what is promised to jobs, and the sites it leaves alone. */
  readonly tell: (state: DownloaderState) => DownloaderState
  /** Whether so much more or less is free than was told that somebody may decide otherwise. */
  readonly isNews: (freeBytes: number) => boolean
}

/** Smaller changes of free space are nobody's concern, unless a job has been waiting for just that. */
const notableChange = 0.01

export function createStanding(
  sites: Pick<Sites, 'resting'>,
  ledger: Pick<SpaceLedger, 'promisedBytes' | 'makesRoom'>,
): Standing {
  let told = 0
  const unpromised = (freeBytes: number): number => Math.max(0, freeBytes - ledger.promisedBytes())
  return {
    tell: (state) => {
      told = unpromised(state.freeBytes)
      return { ...state, freeBytes: told, sites: sites.resting() }
    },
    isNews: (freeBytes) => {
      const free = unpromised(freeBytes)
      return ledger.makesRoom(told, free) || Math.abs(free - told) > told * notableChange
    },
  }
}
