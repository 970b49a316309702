import { libraryHolding } from '../../../src/plex/location.ts'
import type { Requester, RunningScan } from '../../../src/plex/scan.ts'
import { createScanning, type ScannedPlex, type Shelf } from '../../../src/plex/scanning.ts'

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

export const download = (file: string, downloadId = file): Requester => ({
  kind: 'download',
  downloadId,
  file,
})
export const user: Requester = { kind: 'user', userId: 'u1' }

/** A Plex with two libraries, in which a scan takes as long as a test says, and a clock that a test moves. */
export function createScanningWorld() {
  const places = [
    { libraryKey: '1', type: 'movie', locations: ['/media/movies'] },
    { libraryKey: '2', type: 'movie', locations: ['/media/youtube'] },
  ]
  const world = {
    now: 1_000_000,
    isUp: true,
    scanMs: 3_000,
    onRefresh: (): void => undefined,
    refreshFails: 0,
    tellFails: 0,
    refreshes: [] as {
      readonly libraryKey: string
      readonly path: string | undefined
      readonly at: number
    }[],
    asked: 0,
    scansUntil: new Map<string, number>(),
    shown: new Map<string, string>(),
    changes: [] as string[],
    ended: [] as Ended[],
  }
  const ask = <T>(answer: T): T | undefined => {
    world.asked += 1
    return world.isUp ? answer : undefined
  }
  const plex: ScannedPlex = {
    refresh: async (libraryKey, path) => {
      if (ask(true) === undefined) return false
      if (world.refreshFails > 0) {
        world.refreshFails -= 1
        world.onRefresh()
        return false
      }
      world.refreshes.push({ libraryKey, path, at: world.now })
      world.scansUntil.set(libraryKey, world.now + world.scanMs)
      world.onRefresh()
      return true
    },
    isScanning: async (libraryKey) => ask(world.now < (world.scansUntil.get(libraryKey) ?? 0)),
    libraryHolding: async (path) => ask(libraryHolding(path, places)?.libraryKey ?? 'none'),
    find: async (_libraryKey, files) =>
      new Map(
        files.flatMap((file) => {
          const key = ask(world.shown.get(file))
          return key === undefined ? [] : [[file, key] as const]
        }),
      ),
  }
  const queued = shelf<Parameters<Shelf<RunningScan['scan']>['put']>[1]>()
  const running = shelf<RunningScan>()
  /** A new one, which knows only what is stored. */
  const create = () =>
    createScanning({
      queued,
      running,
      plex,
      policy: { quietMs: 5_000, maxMs: 60_000 },
      now: () => world.now,
      log: () => undefined,
      changed: (libraryKey) => void world.changes.push(libraryKey),
      ended: async ({ libraryKey }, found) => {
        if (world.tellFails > 0) {
          world.tellFails -= 1
          throw new Error('nobody there')
        }
        world.ended.push({ libraryKey, found: Object.fromEntries(found) })
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
  const isIdle = () => queued.size() + running.size() === 0
  return { world, create, runUntil, isIdle }
}
