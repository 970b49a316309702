import { DurableObject } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'

import { configOf } from '../config.ts'
import { createBackgroundPlex } from '../platform/background-plex.ts'
import { createDeliveryScans } from '../platform/delivery-scans.ts'
import { createLiveRooms } from '../platform/live-rooms.ts'
import { log } from '../platform/logger.ts'
import type { HitRatio, Reads } from '../plex/hit-ratio.ts'
import type { Place } from '../plex/location.ts'
import type { ScanRequest } from '../plex/scan.ts'
import { createScanning } from '../plex/scanning.ts'
import { createLocks } from './locks.ts'
import { CountedReads } from './counted-reads.ts'
import { remembered } from './remembered.ts'
import { tellOfScan } from './scan-news.ts'
import { createScanHistory, createWaitingList } from './scan-storage.ts'
import { createShelf } from './shelf.ts'

const renewalLeaseMs = 10_000
const placesForMs = 5_000
const placesPatienceMs = 3_000

/**
 * What has to be decided in one place for one Plex server: which scans to ask for and when, and how often each of its
 * libraries has changed. All of that is in storage: an eviction between any two steps loses nothing.
 */
export class PlexServer extends DurableObject<Env> {
  readonly #config = configOf(this.env)
  readonly #rooms = createLiveRooms(this.env.LIVE_ROOM, this.#config.liveShards, log)
  readonly #renewals = new Map<string, number>()
  readonly #readCounts = new CountedReads(this.ctx.storage.kv)
  readonly #locks = createLocks(this.ctx.storage.kv, Date.now)
  readonly #plex = createBackgroundPlex(this.env)
  readonly #places = remembered(placesForMs, () => this.#plex.places())
  readonly #ears = {
    scanned: (id: string, ratingKey: string | undefined) =>
      this.env.DOWNLOAD_QUEUE.getByName('main').scanned(id, ratingKey),
    noteScan: createDeliveryScans(drizzle(this.env.DB)),
    publish: this.#rooms.publish,
  }
  readonly #scanning = createScanning({
    queued: createShelf(this.ctx.storage.kv, 'queued-scan:'),
    running: createShelf(this.ctx.storage.kv, 'running-scan:'),
    waiting: createWaitingList(this.ctx.storage.sql),
    history: createScanHistory(this.ctx.storage.kv),
    plex: this.#plex,
    policy: this.#config.plex.scan,
    now: Date.now,
    newId: () => crypto.randomUUID(),
    log,
    changed: (libraryKey) => void this.changed(libraryKey),
    ended: (scan, waiting, verdict) => tellOfScan(this.#ears, scan, waiting, verdict),
  })

  /** Who asks may tell in passing what was read since. */
  generations(reads?: Reads): Record<string, number> {
    if (reads) this.#readCounts.add(reads, Date.now())
    return this.ctx.storage.kv.get<Record<string, number>>('generations') ?? {}
  }

  /** Makes everything cached for the library old, and everything that spans libraries. */
  changed(libraryKey: string): Record<string, number> {
    const generations = this.generations()
    const next = { any: (generations['any'] ?? 0) + 1, [libraryKey]: (generations[libraryKey] ?? 0) + 1 }
    this.ctx.storage.kv.put('generations', { ...generations, ...next })
    return { ...generations, ...next }
  }

  /** How many reads of the last day the cache has answered, all isolates together. */
  hitRatio(reads?: Reads): HitRatio {
    if (reads) this.#readCounts.add(reads, Date.now())
    return this.#readCounts.ratio(Date.now())
  }

  /** True for the one caller who renews a stale answer; the lease lapses, should that caller be cut off. */
  claimRenewal(key: string): boolean {
    const now = Date.now()
    for (const [held, until] of this.#renewals) if (until <= now) this.#renewals.delete(held)
    if (this.#renewals.has(key)) return false
    this.#renewals.set(key, now + renewalLeaseMs)
    return true
  }

  /** The token of the one writer who may change what has this name, or nothing while it is another. */
  claimLock(name: string, holder: string, ttlMs: number): number | undefined {
    return this.#locks.claim(name, holder, ttlMs)
  }

  renewLock(name: string, token: number, ttlMs: number): boolean {
    return this.#locks.renew(name, token, ttlMs)
  }

  releaseLock(name: string, token: number): void {
    this.#locks.release(name, token)
  }

  /** Answers what the scan is called. */
  async requestScan(request: ScanRequest): Promise<string> {
    const scanId = this.#scanning.request(request)
    await this.#arm()
    return scanId
  }

  /** Which libraries there are and where; nothing when Plex does not say so soon. However many ask, Plex is asked once. */
  places(): Promise<readonly Place[] | undefined> {
    return Promise.race([this.#places(), scheduler.wait(placesPatienceMs).then(() => undefined)])
  }

  /** What is queued and what is running, and how the last ones have ended. */
  scans() {
    return this.#scanning.list()
  }

  // An alarm that throws is given up after a few tries, and with it all scans: whatever happens, it is set again.
  override async alarm(): Promise<void> {
    try {
      await this.#scanning.round()
    } catch (error) {
      log('error', 'scan-round-failed', { cause: String(error) })
    }
    await this.#arm()
  }

  async #arm(): Promise<void> {
    const next = this.#scanning.nextAt()
    if (next !== undefined) await this.ctx.storage.setAlarm(next)
  }
}
