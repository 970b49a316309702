import type { ScanOutcome } from '#contract/live.ts'
import { dueAt, note, type CoalescePolicy, type Pending } from '#resilience/coalesce.ts'

import { folded, holds, libraryHolding, type Place } from './location.ts'

/** Who waits for a scan and learns how it ended; with `file`, whether Plex shows that one. */
export type Requester =
  | { readonly kind: 'download'; readonly downloadId: string; readonly file: string }
  | { readonly kind: 'delivery'; readonly deliveryId: number }
  | { readonly kind: 'user'; readonly userId: string; readonly file?: string }

export type ScanRequest = {
  /** Absent: the library that holds the folder. */
  readonly libraryKey?: string
  /** A folder as PMS sees it; absent: the whole library. */
  readonly path?: string
  /** Has PMS read everything about everything anew. */
  readonly force?: boolean
  readonly requester: Requester
}

/** A scan that has been asked for, once or many times, and has not begun. */
export type QueuedScan = {
  /** What it is called to those who have asked. More than one where scans have become one. */
  readonly ids: readonly string[]
  /** Of a folder it is known once PMS has been asked. */
  readonly libraryKey?: string
  readonly path?: string
  readonly force: boolean
  readonly pending: Pending
  /** How many are noted who are no downloads. */
  readonly onlookers: number
  readonly attempts: number
  readonly notBefore: number
}

export type ScanTrouble = Extract<ScanOutcome, 'no-library' | 'gave-up'>

/** A scan whose turn has come: PMS is told, it scans, and then what was waited for is looked for. */
export type RunningScan = {
  readonly scan: QueuedScan
  /** Absent: no library holds the folder, or it is not known. */
  readonly libraryKey?: string
  readonly phase: 'asking' | 'scanning' | 'looking'
  /** When the phase began. */
  readonly since: number
  readonly checkAt: number
  /** Percent, as PMS says; absent while it does not. */
  readonly progress?: number
  readonly trouble?: ScanTrouble
}

/** How a scan has ended, and how many of the files that were waited for Plex shows. */
export type EndedScan = Pick<QueuedScan, 'ids' | 'path' | 'force'> & {
  readonly libraryKey?: string
  readonly requests: number
  readonly requestedAt: number
  readonly endedAt: number
  readonly outcome: ScanOutcome
  readonly awaited: number
  readonly found: number
}

const maxDelayMs = 300_000

/** Requests for the same folder, or library, are one scan. */
export function scanKey({ libraryKey = '', path, force = false }: Omit<ScanRequest, 'requester'>): string {
  const what = path === undefined ? `library:${libraryKey}` : `folder:${libraryKey}:${folded(path)}`
  return force ? `forced-${what}` : what
}

export function enqueue(
  queued: QueuedScan | undefined,
  { libraryKey, path, force = false }: ScanRequest,
  now: number,
  newId: () => string,
): QueuedScan {
  if (queued) return { ...queued, pending: note(queued.pending, now) }
  return {
    ids: [newId()],
    ...(libraryKey !== undefined && { libraryKey }),
    ...(path !== undefined && { path }),
    force,
    pending: note(undefined, now),
    onlookers: 0,
    attempts: 0,
    notBefore: 0,
  }
}

export const startsAt = (scan: QueuedScan, policy: CoalescePolicy): number =>
  Math.max(scan.notBefore, dueAt(scan.pending, policy))

/** Plex could not be told: again later, doubling up to five minutes. */
export function postpone(scan: QueuedScan, now: number): QueuedScan {
  const delayMs = Math.min(maxDelayMs, 5_000 * 2 ** Math.min(scan.attempts, 10))
  return { ...scan, attempts: scan.attempts + 1, notBefore: now + delayMs }
}

/** Makes one scan of two for the same folder or library. */
export function merge(scan: QueuedScan, other: QueuedScan | undefined): QueuedScan {
  if (!other) return scan
  return {
    ...scan,
    ids: [...scan.ids, ...other.ids],
    pending: {
      firstAt: Math.min(scan.pending.firstAt, other.pending.firstAt),
      lastAt: Math.max(scan.pending.lastAt, other.pending.lastAt),
      count: scan.pending.count + other.pending.count,
    },
    onlookers: scan.onlookers + other.onlookers,
  }
}

/** The library to scan, of those there are: the one that was named, if it holds the path, or the one that does. */
export function libraryFor({ libraryKey, path }: QueuedScan, places: readonly Place[]): string | undefined {
  if (libraryKey === undefined)
    return path === undefined ? undefined : libraryHolding(path, places)?.libraryKey
  const place = places.find((place) => place.libraryKey === libraryKey)
  const isInside = path === undefined || place?.locations.some((location) => holds(location, path))
  return isInside ? place?.libraryKey : undefined
}
