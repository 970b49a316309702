import type { CoalescePolicy } from '#resilience/coalesce.ts'

import type { Log } from '../http/env.ts'
import type { Place } from './location.ts'
import { createScanRound, type ScanRound } from './scan-round.ts'
import {
  enqueue,
  libraryFor,
  merge,
  postpone,
  scanKey,
  startsAt,
  type EndedScan,
  type QueuedScan,
  type Requester,
  type RunningScan,
  type ScanRequest,
  type ScanTrouble,
} from './scan.ts'
import { judge, type ShownFile, type Verdict } from './scan-verdict.ts'

/** PMS as scans need it. `undefined`: it cannot be asked at the moment. */
export type ScannedPlex = {
  places(): Promise<readonly Place[] | undefined>
  refresh(
    libraryKey: string,
    path: string | undefined,
    force: boolean,
  ): Promise<'done' | 'unavailable' | 'gone'>
  /** Libraries that are being scanned, with the progress in percent where PMS tells it. */
  activities(): Promise<ReadonlyMap<string, number | undefined> | undefined>
  /** Files behind so many of the newest rows of the library. */
  shown(libraryKey: string, rows: number): Promise<readonly ShownFile[] | undefined>
}

/** Kept things by name; what is put is stored before anything is answered. */
export type Shelf<T> = {
  get(name: string): T | undefined
  put(name: string, thing: T): void
  delete(name: string): void
  all(): readonly (readonly [string, T])[]
}

export type Waiting = { readonly scanId: string; readonly requester: Requester }

/** Who waits for which scan, each once. */
export type WaitingList = {
  /** False for who is noted already. */
  note(scanId: string, requester: Requester): boolean
  of(scanIds: readonly string[]): readonly Waiting[]
  forget(scanIds: readonly string[]): void
}

/** How scans have ended, the last ones only. */
export type ScanHistory = { add(scan: EndedScan): void; all(): readonly EndedScan[] }

type Dependencies = {
  readonly queued: Shelf<QueuedScan>
  readonly running: Shelf<RunningScan>
  readonly waiting: WaitingList
  readonly history: ScanHistory
  readonly plex: ScannedPlex
  readonly policy: CoalescePolicy
  readonly now: () => number
  readonly newId: () => string
  readonly log: Log
  /** The library may hold something new. */
  readonly changed: (libraryKey: string) => void
  /** Tells who waited. When it throws, it is called again. */
  readonly ended: (scan: EndedScan, waiting: readonly Waiting[], verdict: Verdict) => Promise<void>
}

/** How often PMS is asked after a scan, and for how long files are looked for once it is done. */
const pollMs = 1_000
const lookForMs = 15_000
/** PMS shows a scan among its activities only after a moment. */
const settleMs = 1_500
const maxScanMs = 30 * 60_000
/** Reading everything anew takes hours. */
const maxForcedScanMs = 12 * 3_600_000
/** For so long a scan waits for a Plex that cannot be told. */
const patienceMs = 24 * 3_600_000
/** Downloads are always noted: each must be told. */
const maxOnlookers = 5_000
const usualRows = 100
const mostRows = 1_000

/**
 * Scans of one Plex server: many requests for a folder are one scan, and a library has one scan at a time. Every step
 * is stored before the next begins, so that whoever picks up the store goes on where the last one stopped.
 */
export function createScanning(dependencies: Dependencies) {
  const { queued, running, waiting, history, policy, now, newId, log } = dependencies
  const isBusy = (libraryKey: string | undefined) =>
    libraryKey !== undefined && running.get(libraryKey) !== undefined

  /** Storage may have changed while Plex was asked; what is in there is the truth. */
  const amend = (key: string, change: (scan: QueuedScan) => QueuedScan) => {
    const scan = queued.get(key)
    if (scan) queued.put(key, change(scan))
  }

  const checkLater = (place: string, current: RunningScan) => {
    running.put(place, { ...current, checkAt: now() + pollMs })
  }

  /** Takes a scan out of its library's way: while its files are looked for, the next one may begin. */
  const toLooking = (place: string | undefined, current: RunningScan, trouble?: ScanTrouble) => {
    const { progress: _done, ...rest } = current
    running.put(`looking:${current.scan.ids[0]}`, {
      ...rest,
      phase: 'looking',
      since: now(),
      checkAt: now(),
      ...(trouble && { trouble }),
    })
    if (place !== undefined) running.delete(place)
  }

  const giveUp = (key: string, scan: QueuedScan, trouble: ScanTrouble) => {
    toLooking(undefined, { scan, phase: 'looking', since: now(), checkAt: now() }, trouble)
    queued.delete(key)
  }

  const later = (key: string) => {
    const scan = queued.get(key)
    if (scan && now() - scan.pending.firstAt > patienceMs) return giveUp(key, scan, 'gave-up')
    amend(key, (current) => postpone(current, now()))
  }

  const start = async (asked: string, scan: QueuedScan, round: ScanRound): Promise<void> => {
    if (startsAt(scan, policy) > now() || isBusy(scan.libraryKey)) return
    const places = await round.places()
    const latest = queued.get(asked) ?? scan
    if (!places) return later(asked)
    const libraryKey = libraryFor(latest, places)
    if (libraryKey === undefined) return giveUp(asked, latest, 'no-library')
    const key = settle(asked, latest, libraryKey)
    if (startsAt(queued.get(key) ?? latest, policy) > now() || isBusy(libraryKey)) return
    // PMS may drop what it is asked for during a scan that somebody else has started.
    const hasPatience = now() - latest.pending.firstAt < maxScanMs
    if (hasPatience && (await round.activities())?.has(libraryKey)) {
      return amend(key, (current) => ({ ...current, notBefore: now() + pollMs }))
    }
    const begun = queued.get(key)
    if (!begun || isBusy(libraryKey)) return
    // Whoever asks from here on may have come too late for this scan, and waits for the next.
    running.put(libraryKey, {
      scan: begun,
      libraryKey,
      phase: 'asking',
      since: now(),
      checkAt: now(),
    })
    queued.delete(key)
  }

  /** Puts a scan of a folder under the library that holds it, where it may meet another one for that folder. */
  const settle = (asked: string, scan: QueuedScan, libraryKey: string): string => {
    const known = { ...scan, libraryKey }
    const key = scanKey(known)
    queued.put(key, key === asked ? known : merge(known, queued.get(key)))
    if (key !== asked) queued.delete(asked)
    return key
  }

  /** Puts back a scan that could not go on, with what was asked for meanwhile. */
  const putBack = (place: string, { scan }: RunningScan) => {
    const key = scanKey(scan)
    queued.put(key, merge(scan, queued.get(key)))
    running.delete(place)
    later(key)
  }

  const advance = async (place: string, current: RunningScan, round: ScanRound): Promise<void> => {
    const { libraryKey, scan, phase, since, checkAt } = current
    if (checkAt > now()) return
    if (phase === 'looking' || libraryKey === undefined) return look(place, current, round)
    if (phase === 'asking') {
      const told = await dependencies.plex.refresh(libraryKey, scan.path, scan.force)
      if (told === 'unavailable') return putBack(place, current)
      if (told === 'gone') return toLooking(place, current, 'no-library')
      running.put(place, { ...current, phase: 'scanning', since: now(), checkAt: now() + settleMs })
      return
    }
    const activities = await round.activities()
    const isLate = now() - since >= (scan.force ? maxForcedScanMs : maxScanMs)
    if ((!activities || activities.has(libraryKey)) && !isLate) {
      const { progress: _before, ...rest } = current
      const progress = activities?.get(libraryKey)
      return checkLater(place, { ...rest, ...(progress !== undefined && { progress }) })
    }
    dependencies.changed(libraryKey)
    toLooking(place, current, isLate ? 'gave-up' : undefined)
  }

  /** Looks for what was waited for, until it is all there or it has been long enough. */
  const look = async (place: string, current: RunningScan, round: ScanRound): Promise<void> => {
    const { libraryKey, scan, since, trouble } = current
    const who = waiting.of(scan.ids)
    const requesters = who.map(({ requester }) => requester)
    const isLast = now() - since >= lookForMs
    const canLook = libraryKey !== undefined && trouble !== 'no-library'
    const needsLook = canLook && !judge(scan, requesters, []).isComplete
    const rows = isLast ? mostRows : Math.min(mostRows, usualRows + requesters.length)
    const shown = needsLook ? await round.shown(libraryKey, rows) : undefined
    const verdict = judge(scan, requesters, shown ?? [], trouble)
    if (!verdict.isComplete && !isLast) return checkLater(place, current)
    // Read between the end of the scan and now, an answer may lack what has been found.
    if (libraryKey !== undefined && verdict.outcome === 'seen') dependencies.changed(libraryKey)
    const ended = endOf(current, verdict)
    await dependencies.ended(ended, who, verdict)
    history.add(ended)
    waiting.forget(scan.ids)
    running.delete(place)
  }

  const endOf = ({ scan, libraryKey }: RunningScan, { outcome, awaited, found }: Verdict): EndedScan => ({
    ids: scan.ids,
    ...(scan.path !== undefined && { path: scan.path }),
    force: scan.force,
    ...(libraryKey !== undefined && { libraryKey }),
    requests: scan.pending.count,
    requestedAt: scan.pending.firstAt,
    endedAt: now(),
    outcome,
    awaited,
    found: found.size,
  })

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
    /** Answers what the scan is called. */
    request(request: ScanRequest): string {
      const { requester } = request
      const key = scanKey(request)
      const scan = enqueue(queued.get(key), request, now(), newId)
      const [scanId = ''] = scan.ids
      const isDownload = requester.kind === 'download'
      const isNew = (isDownload || scan.onlookers < maxOnlookers) && waiting.note(scanId, requester)
      queued.put(key, isNew && !isDownload ? { ...scan, onlookers: scan.onlookers + 1 } : scan)
      return scanId
    },

    /** Takes every scan as far as it can go now. */
    async round(): Promise<void> {
      const round = createScanRound(dependencies.plex)
      for (const [key, scan] of queued.all()) {
        await guarded(start(key, scan, round), () => later(key))
      }
      for (const [place, scan] of running.all()) {
        await guarded(advance(place, scan, round), () => {
          const current = running.get(place)
          if (current) checkLater(place, current)
        })
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

    list() {
      return {
        queued: queued.all().map(([, scan]) => ({ ...scan, startsAt: startsAt(scan, policy) })),
        running: running.all().map(([, scan]) => scan),
        ended: history.all(),
      }
    },
  }
}
