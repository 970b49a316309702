import { DurableObject } from 'cloudflare:workers'

import type { CoalescePolicy } from '#resilience/coalesce.ts'

import { configOf } from '../config.ts'
import { createBackgroundPlex, type BackgroundPlex } from '../platform/background-plex.ts'
import { createLiveRooms } from '../platform/live-rooms.ts'
import { log } from '../platform/logger.ts'
import {
  enqueue,
  postpone,
  scanKey,
  startsAt,
  type QueuedScan,
  type Requester,
  type RunningScan,
  type ScanRequest,
} from '../plex/scan.ts'

/** How often a running scan is asked after, and for how long files are looked for once it is done. */
const pollMs = 1_000
const lookForMs = 15_000
/** PMS shows a scan among its activities only after a moment. */
const settleMs = 1_500
const renewalLeaseMs = 10_000
const maxScanMs = 30 * 60_000

/**
 * What has to be decided in one place for one Plex server: which scans to ask for and when, and how often each of its
 * libraries has changed. All state is in storage: an eviction between any two steps loses nothing.
 */
export class PlexServer extends DurableObject<Env> {
  readonly #policy: CoalescePolicy = configOf(this.env).plex.scan
  readonly #renewals = new Map<string, number>()
  #plex: BackgroundPlex | undefined

  generations(): Record<string, number> {
    return this.ctx.storage.kv.get<Record<string, number>>('generations') ?? {}
  }

  /** Makes everything cached for the library old, and everything that spans libraries. */
  changed(libraryKey: string): void {
    const generations = this.generations()
    const next = { any: (generations['any'] ?? 0) + 1, [libraryKey]: (generations[libraryKey] ?? 0) + 1 }
    this.ctx.storage.kv.put('generations', { ...generations, ...next })
  }

  claimRenewal(key: string): boolean {
    const now = Date.now()
    for (const [held, until] of this.#renewals) if (until <= now) this.#renewals.delete(held)
    if (this.#renewals.has(key)) return false
    this.#renewals.set(key, now + renewalLeaseMs)
    return true
  }

  async requestScan(request: ScanRequest): Promise<void> {
    const key = `queued:${scanKey(request)}`
    this.ctx.storage.kv.put(key, enqueue(this.ctx.storage.kv.get<QueuedScan>(key), request, Date.now()))
    await this.#arm()
  }

  /** What is queued and what is running, for health and admins. */
  scans(): { readonly queued: readonly QueuedScan[]; readonly running: readonly RunningScan[] } {
    return {
      queued: this.#queued().map(([, scan]) => scan),
      running: this.#running().map(([, scan]) => scan),
    }
  }

  // An alarm that throws is given up after a few tries, and with it all scans: whatever happens, it is set again.
  override async alarm(): Promise<void> {
    try {
      for (const [key, scan] of this.#running()) await this.#follow(key, scan)
      for (const [key, scan] of this.#queued()) await this.#start(key, scan)
    } catch (error) {
      log('warn', 'scan-round-failed', { cause: String(error) })
    }
    await this.#arm()
  }

  async #start(key: string, scan: QueuedScan): Promise<void> {
    if (startsAt(scan, this.#policy) > Date.now()) return
    const libraryKey = scan.libraryKey ?? (await this.#libraryHolding(scan.path))
    if (libraryKey === 'none') {
      await this.#tell('', scan.requesters, new Map())
      this.ctx.storage.kv.delete(key)
      return
    }
    if (libraryKey === undefined) return this.#putQueued(key, postpone(scan, Date.now()))
    if (this.ctx.storage.kv.get(`running:${libraryKey}`)) return
    const started = await this.#plexServer().refresh(libraryKey, scan.path)
    if (!started) return this.#putQueued(key, postpone(scan, Date.now()))
    // More may have been asked while PMS answered; who asked then was too late for this scan, and waits for the next.
    const current = this.ctx.storage.kv.get<QueuedScan>(key) ?? scan
    const late = current.requesters.filter((asker) => !scan.requesters.some((known) => same(known, asker)))
    if (late.length === 0) this.ctx.storage.kv.delete(key)
    else this.#putQueued(key, { ...current, requesters: late, attempts: 0 })
    this.#putRunning({
      libraryKey,
      ...(scan.path !== undefined && { path: scan.path }),
      requesters: scan.requesters,
      startedAt: Date.now(),
    })
  }

  async #follow(key: string, scan: RunningScan): Promise<void> {
    const now = Date.now()
    if (scan.scannedAt === undefined) {
      if (now - scan.startedAt < settleMs) return
      const scanning = await this.#plexServer().isScanning(scan.libraryKey)
      if (scanning !== false && now - scan.startedAt < maxScanMs) return
      this.changed(scan.libraryKey)
      this.#putRunning({ ...scan, scannedAt: now })
    }
    const done = await this.#finish(scan)
    if (done || now - (scan.scannedAt ?? now) >= lookForMs) {
      if (!done) await this.#tell(scan.libraryKey, scan.requesters, new Map())
      this.ctx.storage.kv.delete(key)
    }
  }

  /** Looks for the files that were waited for. True when all have been found and everybody told. */
  async #finish(scan: RunningScan): Promise<boolean> {
    const files = scan.requesters.flatMap((requester) =>
      requester.kind === 'download' ? [requester.file] : [],
    )
    const found =
      files.length > 0 ? await this.#plexServer().find(scan.libraryKey, files) : new Map<string, string>()
    if (files.some((file) => !found.has(file))) return false
    await this.#tell(scan.libraryKey, scan.requesters, found)
    return true
  }

  async #tell(
    libraryKey: string,
    requesters: readonly Requester[],
    found: ReadonlyMap<string, string>,
  ): Promise<void> {
    if (found.size > 0) this.changed(libraryKey)
    for (const requester of requesters) {
      if (requester.kind !== 'download') continue
      const ratingKey = found.get(requester.file)
      await this.env.DOWNLOAD_QUEUE.getByName('main').scanned(requester.downloadId, ratingKey)
    }
    if (libraryKey === '') return
    const { liveShards } = configOf(this.env)
    const outcome = requesters.some(({ kind }) => kind === 'download')
      ? found.size > 0
        ? 'seen'
        : 'not-seen'
      : 'scanned'
    await createLiveRooms(this.env.LIVE_ROOM, liveShards, log).publish(
      { kind: 'section', libraryKey },
      { event: 'plex:library:scanned', data: { libraryKey, outcome } },
    )
  }

  /** `none` when PMS knows no library there; `undefined` when it cannot be asked now. */
  async #libraryHolding(path: string | undefined): Promise<string | undefined> {
    return path === undefined ? 'none' : this.#plexServer().libraryHolding(path)
  }

  #plexServer(): BackgroundPlex {
    this.#plex ??= createBackgroundPlex(this.env)
    return this.#plex
  }

  async #arm(): Promise<void> {
    const running = this.#running().length > 0
    const starts = this.#queued().map(([, scan]) => startsAt(scan, this.#policy))
    const next = Math.min(...starts, running ? Date.now() + pollMs : Number.POSITIVE_INFINITY)
    if (Number.isFinite(next)) await this.ctx.storage.setAlarm(Math.max(next, Date.now() + 10))
  }

  #queued = () => [...this.ctx.storage.kv.list<QueuedScan>({ prefix: 'queued:' })]
  #running = () => [...this.ctx.storage.kv.list<RunningScan>({ prefix: 'running:' })]
  #putQueued = (key: string, scan: QueuedScan) => this.ctx.storage.kv.put(key, scan)
  #putRunning = (scan: RunningScan) => this.ctx.storage.kv.put(`running:${scan.libraryKey}`, scan)
}

const same = (a: unknown, b: unknown) => JSON.stringify(a) === JSON.stringify(b)
