import { dueAt, note, type CoalescePolicy, type Pending } from '#resilience/coalesce.ts'

import { folded } from './location.ts'

/** Who waits for a scan; a download learns how it ended. */
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
  /** Of a folder it is known once PMS has been asked. */
  readonly libraryKey?: string
  readonly path?: string
  readonly pending: Pending
  readonly requesters: readonly Requester[]
  readonly attempts: number
  readonly notBefore: number
}

/** A scan whose turn has come: PMS is told, it scans, and then the files that were waited for are looked for. */
export type RunningScan = {
  readonly scan: QueuedScan
  /** Absent: no library holds the folder. */
  readonly libraryKey?: string
  readonly phase: 'asking' | 'scanning' | 'looking'
  /** When the phase began. */
  readonly since: number
  readonly checkAt: number
}

const maxOnlookers = 20
const maxDelayMs = 300_000

/** Requests for the same folder, or library, are one scan. */
export const scanKey = ({ libraryKey, path }: Pick<ScanRequest, 'libraryKey' | 'path'>): string =>
  path === undefined ? `library:${libraryKey ?? ''}` : `folder:${folded(path)}`

export function enqueue(queued: QueuedScan | undefined, request: ScanRequest, now: number): QueuedScan {
  const { path, requester } = request
  const libraryKey = request.libraryKey ?? queued?.libraryKey
  return {
    ...(libraryKey !== undefined && { libraryKey }),
    ...(path !== undefined && { path }),
    pending: note(queued?.pending, now),
    requesters: joined(queued?.requesters ?? [], [requester]),
    attempts: queued?.attempts ?? 0,
    notBefore: queued?.notBefore ?? 0,
  }
}

export const startsAt = (scan: QueuedScan, policy: CoalescePolicy): number =>
  Math.max(scan.notBefore, dueAt(scan.pending, policy))

/** Plex could not be told: again later, doubling up to five minutes. */
export function postpone(scan: QueuedScan, now: number): QueuedScan {
  const delayMs = Math.min(maxDelayMs, 5_000 * 2 ** Math.min(scan.attempts, 10))
  return { ...scan, attempts: scan.attempts + 1, notBefore: now + delayMs }
}

/** Joins a scan that came to nothing with what has been asked for since. */
export function merge(scan: QueuedScan, later: QueuedScan | undefined): QueuedScan {
  if (!later) return scan
  return {
    ...scan,
    pending: {
      firstAt: Math.min(scan.pending.firstAt, later.pending.firstAt),
      lastAt: Math.max(scan.pending.lastAt, later.pending.lastAt),
      count: scan.pending.count + later.pending.count,
    },
    requesters: joined(scan.requesters, later.requesters),
  }
}

export const filesWaitedFor = ({ requesters }: QueuedScan): readonly string[] =>
  requesters.flatMap((requester) => (requester.kind === 'download' ? [requester.file] : []))

/** Every download once, for each must be told; of those who only set it off, the last few. */
function joined(known: readonly Requester[], more: readonly Requester[]): readonly Requester[] {
  const all = [...new Map([...known, ...more].map((one) => [JSON.stringify(one), one])).values()]
  const downloads = all.filter(({ kind }) => kind === 'download')
  const onlookers = all.filter(({ kind }) => kind !== 'download')
  return [...downloads, ...onlookers.slice(-maxOnlookers)]
}
