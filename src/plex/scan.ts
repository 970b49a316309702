import { dueAt, note, type CoalescePolicy, type Pending } from '#resilience/coalesce.ts'

/** Who waits for a scan, and learns how it ended. */
export type Requester =
  | { readonly kind: 'download'; readonly downloadId: string; readonly file: string }
  | { readonly kind: 'delivery'; readonly deliveryId: number }
  | { readonly kind: 'user'; readonly userId: string }

export type ScanRequest = {
  /** Absent: the library that holds the folder. */
  readonly libraryKey?: string
  /** A folder as PMS sees it; absent: the whole library. */
  readonly path?: string
  readonly requester: Requester
}

/** A scan that has been asked for, once or many times, and has not begun. */
export type QueuedScan = {
  readonly libraryKey?: string
  readonly path?: string
  readonly pending: Pending
  readonly requesters: readonly Requester[]
  readonly attempts: number
  readonly notBefore: number
}

/** A scan that PMS has been told of. One at a time for each library. */
export type RunningScan = {
  readonly libraryKey: string
  readonly path?: string
  readonly requesters: readonly Requester[]
  readonly startedAt: number
  /** Set once PMS is done scanning; the files of its requesters are looked for since then. */
  readonly scannedAt?: number
}

const maxRequesters = 1_000

/** Requests for the same folder, or library, are one scan. */
export const scanKey = ({ libraryKey, path }: Pick<ScanRequest, 'libraryKey' | 'path'>): string =>
  path ?? `library:${libraryKey ?? ''}`

export function enqueue(queued: QueuedScan | undefined, request: ScanRequest, now: number): QueuedScan {
  const { libraryKey, path, requester } = request
  const others = (queued?.requesters ?? []).filter(
    (known) => JSON.stringify(known) !== JSON.stringify(requester),
  )
  return {
    ...(libraryKey !== undefined && { libraryKey }),
    ...(path !== undefined && { path }),
    pending: note(queued?.pending, now),
    requesters: [...others, requester].slice(-maxRequesters),
    attempts: queued?.attempts ?? 0,
    notBefore: queued?.notBefore ?? 0,
  }
}

export const startsAt = (scan: QueuedScan, policy: CoalescePolicy): number =>
  Math.max(scan.notBefore, dueAt(scan.pending, policy))

/** Plex could not be told: again later, doubling up to five minutes. */
export function postpone(scan: QueuedScan, now: number): QueuedScan {
  const delayMs = Math.min(300_000, 5_000 * 2 ** Math.min(scan.attempts, 10))
  return { ...scan, attempts: scan.attempts + 1, notBefore: now + delayMs }
}
