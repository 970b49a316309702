import type { EndedScan, QueuedScan, RunningScan } from './scan.ts'
import type { Scan } from './scan-schema.ts'

/** All that is known of scans, as it is stored. */
export type KnownScans = {
  readonly queued: readonly (QueuedScan & { readonly startsAt: number })[]
  readonly running: readonly RunningScan[]
  readonly ended: readonly EndedScan[]
}

type Shown = { readonly ids: readonly string[]; readonly scan: Scan }

const instant = (ms: number) => new Date(ms).toISOString()

/** What runs, what waits, what is over: each the latest first. */
export function listScans({ queued, running, ended }: KnownScans): readonly Scan[] {
  return shown({ queued, running, ended }).map(({ scan }) => scan)
}

/** By any of its names: scans become one. */
export function findScan(known: KnownScans, id: string): Scan | undefined {
  const found = shown(known).find(({ ids }) => ids.includes(id))
  return found && { ...found.scan, id }
}

function shown({ queued, running, ended }: KnownScans): readonly Shown[] {
  return [
    ...running.map(ofRunning),
    ...queued.toSorted((a, b) => b.pending.firstAt - a.pending.firstAt).map(ofQueued),
    ...ended.map(ofEnded),
  ]
}

const asked = (scan: Pick<QueuedScan, 'ids' | 'libraryKey' | 'path' | 'force'>) => ({
  id: scan.ids[0] ?? '',
  ...(scan.libraryKey !== undefined && { libraryKey: scan.libraryKey }),
  ...(scan.path !== undefined && { path: scan.path }),
  force: scan.force,
})

function ofQueued(scan: QueuedScan & { readonly startsAt: number }): Shown {
  const { ids, pending, attempts, startsAt } = scan
  return {
    ids,
    scan: {
      ...asked(scan),
      state: 'queued',
      requests: pending.count,
      requestedAt: instant(pending.firstAt),
      startsAt: instant(startsAt),
      ...(attempts > 0 && { attempts }),
    },
  }
}

function ofRunning({ scan, libraryKey, phase, progress }: RunningScan): Shown {
  return {
    ids: scan.ids,
    scan: {
      ...asked({ ...scan, ...(libraryKey !== undefined && { libraryKey }) }),
      state: phase === 'looking' ? 'looking' : 'scanning',
      requests: scan.pending.count,
      requestedAt: instant(scan.pending.firstAt),
      ...(progress !== undefined && { progressPercent: progress }),
    },
  }
}

function ofEnded(scan: EndedScan): Shown {
  const { ids, outcome, requests, requestedAt, endedAt, awaited, found } = scan
  return {
    ids,
    scan: {
      ...asked(scan),
      state: outcome,
      requests,
      requestedAt: instant(requestedAt),
      endedAt: instant(endedAt),
      ...(awaited > 0 && { files: { awaited, seen: found } }),
    },
  }
}
