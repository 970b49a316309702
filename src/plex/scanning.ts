import type { CoalescePolicy } from '#resilience/coalesce.ts'

import type { Log } from '../http/env.ts'
import {
  enqueue,
  filesWaitedFor,
  merge,
  postpone,
  scanKey,
  startsAt,
  type QueuedScan,
  type RunningScan,
  type ScanRequest,
} from './scan.ts'

/** PMS as scans need it. `undefined`: it cannot be asked at the moment. */
export type ScannedPlex = {
  /** False when PMS could not be told. */
  refresh(libraryKey: string, path: string | undefined): Promise<boolean>
  isScanning(libraryKey: string): Promise<boolean | undefined>
  /** The key of the library that holds the folder, or `none`. */
  libraryHolding(path: string): Promise<string | undefined>
  /** Rating keys of those files that PMS shows among the newest of the library. */
  find(libraryKey: string, files: readonly string[]): Promise<ReadonlyMap<string, string>>
}

/** Kept things by name; what is put is stored before anything is answered. */
export type Shelf<T> = {
  get(name: string): T | undefined
  put(name: string, thing: T): void
  delete(name: string): void
  all(): readonly (readonly [string, T])[]
}

type Dependencies = {
  readonly queued: Shelf<QueuedScan>
  readonly running: Shelf<RunningScan>
  readonly plex: ScannedPlex
  readonly policy: CoalescePolicy
  readonly now: () => number
  readonly log: Log
  /** The library may hold something new. */
  readonly changed: (libraryKey: string) => void
  /** Tells who waited. When it throws, it is called again. */
  readonly ended: (scan: RunningScan, found: ReadonlyMap<string, string>) => Promise<void>
}

/** How often PMS is asked after a scan, and for how long files are looked for once it is done. */
const pollMs = 1_000
const lookForMs = 15_000
/** PMS shows a scan among its activities only after a moment. */
const settleMs = 1_500
const maxScanMs = 30 * 60_000

/**
 * Scans of one Plex server: many requests for a folder are one scan, and a library has one scan at a time. Every step
 * is stored before the next begins, so that whoever picks up the store goes on where the last one stopped.
 */
export function createScanning(dependencies: Dependencies) {
  const { queued, running, plex, policy, now, log, changed, ended } = dependencies
  const isBusy = (libraryKey: string | undefined) =>
    libraryKey !== undefined && running.get(libraryKey) !== undefined

  /** Puts back a scan that could not go on, with what was asked for meanwhile. */
  const putBack = (scan: QueuedScan) => {
    const key = scanKey(scan)
    queued.put(key, postpone(merge(scan, queued.get(key)), now()))
  }

  /** Storage may have changed while Plex was asked; what is in there is the truth. */
  const amend = (key: string, change: (scan: QueuedScan) => QueuedScan) => {
    const scan = queued.get(key)
    if (scan) queued.put(key, change(scan))
  }

  const start = async (key: string, scan: QueuedScan): Promise<void> => {
    if (startsAt(scan, policy) > now() || isBusy(scan.libraryKey)) return
    const libraryKey =
      scan.libraryKey ?? (scan.path === undefined ? 'none' : await plex.libraryHolding(scan.path))
    if (libraryKey === undefined) return amend(key, (current) => postpone(current, now()))
    if (libraryKey !== 'none') {
      amend(key, (current) => ({ ...current, libraryKey }))
      if (isBusy(libraryKey)) return
      // PMS may drop what it is asked for during a scan that somebody else has started.
      const hasPatience = now() - scan.pending.firstAt < maxScanMs
      if (hasPatience && (await plex.isScanning(libraryKey))) {
        return amend(key, (current) => ({ ...current, notBefore: now() + pollMs }))
      }
    }
    const begun: RunningScan = {
      scan: queued.get(key) ?? scan,
      ...(libraryKey !== 'none' && { libraryKey }),
      phase: libraryKey === 'none' ? 'looking' : 'asking',
      since: now(),
      checkAt: now(),
    }
    const place = libraryKey === 'none' ? key : libraryKey
    // Whoever asks from here on may have come too late for this scan, and waits for the next.
    running.put(place, begun)
    queued.delete(key)
    await advance(place, begun)
  }

  const advance = async (place: string, current: RunningScan): Promise<void> => {
    const { libraryKey, scan, phase, since, checkAt } = current
    if (checkAt > now()) return
    if (phase === 'looking' || libraryKey === undefined) return look(place, current)
    if (phase === 'asking') {
      if (await plex.refresh(libraryKey, scan.path)) {
        running.put(place, { ...current, phase: 'scanning', since: now(), checkAt: now() + settleMs })
        return
      }
      putBack(scan)
      running.delete(place)
      return
    }
    const scans = await plex.isScanning(libraryKey)
    if (scans !== false && now() - since < maxScanMs) return checkLater(place, current)
    changed(libraryKey)
    const looking: RunningScan = { ...current, phase: 'looking', since: now() }
    running.put(place, looking)
    return look(place, looking)
  }

  /** Looks for the files that were waited for, until all are there or it has been long enough. */
  const look = async (place: string, current: RunningScan): Promise<void> => {
    const { libraryKey, scan, since } = current
    const files = filesWaitedFor(scan)
    const found =
      libraryKey === undefined || files.length === 0
        ? new Map<string, string>()
        : await plex.find(libraryKey, files)
    const isOver =
      libraryKey === undefined || files.every((file) => found.has(file)) || now() - since >= lookForMs
    if (!isOver) return checkLater(place, current)
    // Read between the end of the scan and now, an answer may lack what has been found.
    if (libraryKey !== undefined && found.size > 0) changed(libraryKey)
    await ended(current, found)
    running.delete(place)
  }

  const checkLater = (place: string, current: RunningScan) => {
    running.put(place, { ...current, checkAt: now() + pollMs })
  }

  /** One scan that fails must hold up no other. */
  const guarded = async (step: Promise<void>, onFailure: () => void): Promise<void> => {
    try {
      await step
    } catch (error) {
      log('warn', 'scan-step-failed', { cause: String(error) })
      onFailure()
    }
  }

  return {
    request(request: ScanRequest): void {
      const key = scanKey(request)
      queued.put(key, enqueue(queued.get(key), request, now()))
    },

    /** Takes every scan as far as it can go now. */
    async round(): Promise<void> {
      for (const [place, scan] of running.all()) {
        await guarded(advance(place, scan), () => {
          const current = running.get(place)
          if (current) checkLater(place, current)
        })
      }
      for (const [key, scan] of queued.all()) {
        await guarded(start(key, scan), () => amend(key, (current) => postpone(current, now())))
      }
    },

    /** When the next round is due; undefined when there is nothing to do. */
    nextAt(): number | undefined {
      const checks = running.all().map(([, { checkAt }]) => checkAt)
      const starts = queued
        .all()
        .filter(([, { libraryKey }]) => !isBusy(libraryKey))
        .map(([, scan]) => startsAt(scan, policy))
      const next = Math.min(...checks, ...starts)
      return Number.isFinite(next) ? next : undefined
    },

    list(): { readonly queued: readonly QueuedScan[]; readonly running: readonly RunningScan[] } {
      return { queued: queued.all().map(([, scan]) => scan), running: running.all().map(([, scan]) => scan) }
    },
  }
}
