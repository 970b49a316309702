import type { ScanOutcome } from '../../../src/contract/live.ts'
import type { Place } from '../../../src/plex/location.ts'
import type { EndedScan, QueuedScan, Requester, RunningScan } from '../../../src/plex/scan.ts'
import { outcomeFor } from '../../../src/plex/scan-verdict.ts'
import {
  createScanning,
  type ScannedPlex,
  type Shelf,
  type Waiting,
  type WaitingList,
} from '../../../src/plex/scanning.ts'

type Ended = { readonly libraryKey: string | undefined; readonly found: Record<string, string> }

/** A store that outlives whoever uses it; what is put is copied, as by a real one. */
function shelf<T>(): Shelf<T> & { readonly size: () => number } {
  const things = new Map<string, T>()
  return {
    get: (name) => structuredClone(things.get(name)),
    put: (name, thing) => void things.set(name, structuredClone(thing)),
    delete: (name) => void things.delete(name),
    all: () => structuredClone([...things]),
    size: () => things.size,
  }
}

function waitingList(): WaitingList & { readonly size: () => number } {
  const all = new Map<string, Waiting>()
  const of = (scanIds: readonly string[]) => [...all].filter(([, { scanId }]) => scanIds.includes(scanId))
  return {
    note(scanId, requester) {
      const key = JSON.stringify([scanId, requester])
      const isNew = !all.has(key)
      all.set(key, { scanId, requester })
      return isNew
    },
    of: (scanIds) => of(scanIds).map(([, waiting]) => waiting),
    forget: (scanIds) => {
      for (const [key] of of(scanIds)) all.delete(key)
    },
    size: () => all.size,
  }
}

export const download = (file: string, downloadId = file): Requester => ({
  kind: 'download',
  downloadId,
  file,
})
export const user: Requester = { kind: 'user', userId: 'u1' }

/** A Plex with two libraries, in which a scan takes as long as a test says, and a clock that a test moves. */
export function createScanningWorld() {
  const world = {
    now: 1_000_000,
    isUp: true,
    places: [
      { libraryKey: '1', type: 'movie', title: 'Films', locations: ['/media/movies'] },
      { libraryKey: '2', type: 'movie', title: 'YouTube', locations: ['/media/youtube'] },
    ] as readonly Place[],
    scanMs: 3_000,
    onRefresh: (): void => undefined,
    onPlaces: (): void => undefined,
    refreshFails: 0,
    isGone: false,
    tellFails: 0,
    refreshes: [] as {
      readonly libraryKey: string
      readonly path: string | undefined
      readonly at: number
    }[],
    forced: 0,
    asked: 0,
    progress: undefined as number | undefined,
    scansUntil: new Map<string, number>(),
    shown: new Map<string, string>(),
    changes: [] as string[],
    ended: [] as Ended[],
    told: [] as { readonly requester: Requester; readonly scanId: string; readonly outcome: ScanOutcome }[],
  }
  const ask = <T>(answer: T): T | undefined => {
    world.asked += 1
    return world.isUp ? answer : undefined
  }
  const plex: ScannedPlex = {
    async places() {
      world.onPlaces()
      return ask(world.places)
    },
    refresh: async (libraryKey, path, force) => {
      if (ask(true) === undefined) return 'unavailable'
      if (world.isGone) return 'gone'
      if (world.refreshFails > 0) {
        world.refreshFails -= 1
        world.onRefresh()
        return 'unavailable'
      }
      world.refreshes.push({ libraryKey, path, at: world.now })
      if (force) world.forced += 1
      world.scansUntil.set(libraryKey, world.now + world.scanMs)
      world.onRefresh()
      return 'done'
    },
    activities: async () => {
      const scanning = [...world.scansUntil].filter(([, until]) => world.now < until)
      return ask(new Map(scanning.map(([libraryKey]) => [libraryKey, world.progress] as const)))
    },
    shown: async () => ask([...world.shown].map(([file, ratingKey]) => ({ file, ratingKey }))),
  }
  const queued = shelf<QueuedScan>()
  const running = shelf<RunningScan>()
  const waiting = waitingList()
  let history: readonly EndedScan[] = []
  let ids = 0
  /** A new one, which knows only what is stored. */
  const create = () =>
    createScanning({
      queued,
      running,
      waiting,
      history: {
        add: (scan) => {
          history = [scan, ...history]
        },
        all: () => history,
      },
      plex,
      policy: { quietMs: 5_000, maxMs: 60_000 },
      now: () => world.now,
      newId: () => `scan-${(ids += 1)}`,
      log: () => undefined,
      changed: (libraryKey) => void world.changes.push(libraryKey),
      ended: async ({ libraryKey }, who, verdict) => {
        if (world.tellFails > 0) {
          world.tellFails -= 1
          throw new Error('nobody there')
        }
        world.ended.push({ libraryKey, found: Object.fromEntries(verdict.found) })
        for (const { requester, scanId } of who) {
          world.told.push({ requester, scanId, outcome: outcomeFor(requester, verdict) })
        }
      },
    })

  /** Rounds as their alarm would have them, each by one that knows only what is stored. */
  const runUntil = async (until: number, maxRounds = 5_000) => {
    for (let rounds = 0; rounds < maxRounds; rounds += 1) {
      const next = create().nextAt()
      if (next === undefined || next > until) {
        world.now = Math.max(world.now, until)
        return rounds
      }
      world.now = Math.max(world.now, next)
      await create().round()
    }
    throw new Error('a round follows upon a round without an end')
  }
  const isIdle = () => queued.size() + running.size() + waiting.size() === 0
  return { world, create, runUntil, isIdle, outcomes: () => history.map(({ outcome }) => outcome) }
}
