import { readFileSync } from 'node:fs'

import { descendants } from '../../scripts/local/descendants.ts'

/** What a process holds in memory, MiB; nothing for one that is gone, and nothing where there is no `/proc`. */
export function mebibytesOf(pid: number): number {
  try {
    const resident = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return Number(resident ?? 0) / 1024
  } catch {
    return 0
  }
}

/** The same for all that it has started. */
export const mebibytesBelow = (pid: number): number =>
  descendants(pid).reduce((sum, child) => sum + mebibytesOf(child), 0)
