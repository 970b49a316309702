import { DurableObject } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'

import {
  FromDownloader,
  leaseMs,
  parseFrame,
  pingFrame,
  pongFrame,
  type Outcome,
} from '#contract/downloader-link.ts'
import type { Failure, Progress, VideoMetadata } from '#contract/downloads.ts'

import { configOf } from '../config.ts'
import { createDownloadRecords } from '../platform/download-records.ts'
import { createLiveRooms } from '../platform/live-rooms.ts'
import { log } from '../platform/logger.ts'
import { folderOf } from '../plex/location.ts'
import { itemUrl } from '../plex/parse.ts'
import { assign, advance, holdsLease, isLeased, offered, waiting, type Job } from '../youtube/job.ts'
import type { ConnectedDownloader, LiveState, MetadataAnswer, NewDownload } from '../youtube/ports.ts'
import { DownloaderSockets, sendTo } from './downloader-sockets.ts'
import { JobTable } from './job-table.ts'
import { OwnerEvents } from './owner-events.ts'
import { Questions } from './questions.ts'

const checkMs = 10_000
const scanPatienceMs = 10 * 60_000

type Said<T extends FromDownloader['type']> = Extract<FromDownloader, { type: T }>

/**
 * The queue of downloads and who works on what. A job belongs to the downloader that holds its lease; what comes
 * under an older lease is acknowledged and changes nothing. Each change is stored before anybody is told.
 */
export class DownloadQueue extends DurableObject<Env> {
  readonly #config = configOf(this.env)
  readonly #jobs = new JobTable(this.ctx.storage.kv)
  readonly #downloaders = new DownloaderSockets(this.ctx)
  readonly #records = createDownloadRecords(drizzle(this.env.DB), this.#config.plex.machineIdentifier)
  readonly #events = new OwnerEvents(
    createLiveRooms(this.env.LIVE_ROOM, this.#config.liveShards, log).publish,
  )
  readonly #questions = new Questions()
  readonly #progress = new Map<string, Progress>()

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(pingFrame, pongFrame))
  }

  // ── What the Worker asks ────────────────────────────────────────────────────────────────────────────────────────

  async enqueue(download: NewDownload): Promise<void> {
    if (this.#jobs.get(download.id)) return
    const job = this.#jobs.put({ ...download, attempt: 1, state: 'waiting', notBefore: 0 })
    this.ctx.waitUntil(this.#tellCreated(job))
    await this.#dispatch()
  }

  async cancel(userId: string, id: string): Promise<boolean> {
    const job = this.#jobs.get(id)
    if (!job || job.userId !== userId) return false
    if (isLeased(job) && job.lease) {
      this.#downloaders.send(job.lease.holder, { type: 'cancel', jobId: id, lease: job.lease.token })
    }
    await this.#records.cancelled(id, Date.now())
    this.#forget(id)
    this.#events.send(userId, { event: 'youtube:cancelled', data: { downloadId: id } })
    await this.#dispatch()
    return true
  }

  liveStates(ids: readonly string[]): Record<string, LiveState> {
    return Object.fromEntries(ids.flatMap((id) => (this.#jobs.get(id) ? [[id, this.#liveState(id)]] : [])))
  }

  /** The user's downloads that are not over, for a subscriber who has just come. */
  async active(userId: string) {
    const ids = this.#jobs
      .all()
      .filter((job) => job.userId === userId)
      .map(({ id }) => id)
    const downloads = await this.#records.find(ids)
    return downloads.map((download) => ({ ...download, ...this.#liveState(download.id) }))
  }

  async metadata(url: string): Promise<MetadataAnswer> {
    const [downloader] = this.#downloaders.all()
    if (!downloader) return { kind: 'unavailable' }
    const question = this.#questions.ask(this.#config.downloads.metadataTimeoutMs)
    sendTo(downloader.socket, { type: 'ask', requestId: question.id, question: { kind: 'metadata', url } })
    return question.answer
  }

  downloaders(): ConnectedDownloader[] {
    return this.#downloaders.all().map(({ downloader: { downloaderId, slots, versions, state } }) => ({
      id: downloaderId,
      slots,
      busy: this.#jobs.all().filter((job) => isLeased(job) && job.lease?.holder === downloaderId).length,
      freeBytes: state.freeBytes,
      troubles: state.troubles,
      versions,
    }))
  }

  queued(): number {
    return this.#jobs.all().filter(({ state }) => state === 'waiting').length
  }

  /** How the scan for a placed file ended. May come again, or after the queue has stopped waiting for it. */
  async scanned(id: string, ratingKey: string | undefined): Promise<void> {
    const job = this.#jobs.get(id)
    const first = await this.#records.completed(id, ratingKey, Date.now())
    if (!first) return
    const { userId, file } = first
    this.#forget(id)
    if (job && file) this.#events.send(userId, { event: 'youtube:completed', data: { downloadId: id, file } })
    if (ratingKey === undefined) return
    const url = itemUrl(this.#config.plex.machineIdentifier, ratingKey)
    this.#events.send(userId, { event: 'youtube:available', data: { downloadId: id, ratingKey, url } })
  }

  /** Takes in downloads that were stored and never handed over. */
  async adopt(): Promise<number> {
    const lost = (await this.#records.unfinished()).filter(({ id }) => !this.#jobs.get(id))
    for (const download of lost) await this.enqueue(download)
    return lost.length
  }

  // ── What downloaders say ────────────────────────────────────────────────────────────────────────────────────────

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    return new Response(null, { status: 101, webSocket: client })
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    const message = parseFrame(FromDownloader, data)
    if (!message) return socket.close(1007, 'not a message of this protocol')
    this.#downloaders.heard(socket, Date.now())
    if (message.type === 'hello') return this.#hello(socket, message)
    const downloader = this.#downloaders.of(socket)
    if (!downloader) return socket.close(1008, 'say hello first')
    const { downloaderId } = downloader
    switch (message.type) {
      case 'state':
        socket.serializeAttachment({ ...downloader, state: message.state, unwillingUntil: 0 })
        return this.#dispatch()
      case 'answer':
        return this.#questions.answered(message.requestId, message.answer)
      case 'accepted':
        return this.#accepted(downloaderId, message)
      case 'declined':
        socket.serializeAttachment({
          ...downloader,
          unwillingUntil: Date.now() + (message.reason === 'no-slot' ? checkMs : leaseMs),
        })
        return this.#giveBack(downloaderId, message)
      case 'started':
        return this.#started(downloaderId, message)
      case 'progress':
        return this.#progressed(downloaderId, message)
      case 'result':
        await this.#ended(downloaderId, message)
        return sendTo(socket, { type: 'acknowledged', jobId: message.jobId, lease: message.lease })
    }
  }

  // The hibernation API leaves the closing handshake to us; these codes may not be sent.
  override webSocketClose(socket: WebSocket, code: number, reason: string): void {
    if (code !== 1005 && code !== 1006 && code !== 1015) socket.close(code, reason)
  }

  async #hello(
    socket: WebSocket,
    { downloaderId, slots, versions, state, holding }: Said<'hello'>,
  ): Promise<void> {
    this.#downloaders.introduce(socket, { downloaderId, slots, versions, state, unwillingUntil: 0 })
    const kept = holding.filter(({ jobId, lease }) => holdsLease(this.#jobs.get(jobId), downloaderId, lease))
    const drop = holding.filter((held) => !kept.includes(held)).map(({ jobId }) => jobId)
    sendTo(socket, { type: 'welcome', drop })
    // What it was given and does not know of was lost on the way, or with its disk.
    const lost = this.#jobs
      .all()
      .filter(
        (job) =>
          isLeased(job) && job.lease?.holder === downloaderId && !kept.some(({ jobId }) => jobId === job.id),
      )
    for (const job of lost) this.#jobs.put(waiting(job, 0))
    await this.#dispatch()
  }

  #accepted(downloaderId: string, { jobId, lease }: Said<'accepted'>): void {
    const job = this.#jobs.get(jobId)
    if (holdsLease(job, downloaderId, lease)) this.#jobs.put({ ...job, state: 'running' })
  }

  async #giveBack(
    downloaderId: string,
    { jobId, lease }: { readonly jobId: string; readonly lease: number },
  ): Promise<void> {
    const job = this.#jobs.get(jobId)
    if (holdsLease(job, downloaderId, lease)) this.#jobs.put(waiting(job, 0))
    await this.#dispatch()
  }

  async #started(downloaderId: string, { jobId, lease, metadata }: Said<'started'>): Promise<void> {
    const job = this.#jobs.get(jobId)
    if (!holdsLease(job, downloaderId, lease)) return
    await this.#records.started(jobId, metadata, job.attempt, Date.now())
    const { title } = metadata satisfies VideoMetadata
    this.#events.send(job.userId, {
      event: 'youtube:started',
      data: { downloadId: jobId, title, attempt: job.attempt },
    })
  }

  #progressed(downloaderId: string, { jobId, lease, progress: reported }: Said<'progress'>): void {
    const job = this.#jobs.get(jobId)
    if (!holdsLease(job, downloaderId, lease)) return
    const before = this.#progress.get(jobId)
    const progress = advance(before, reported)
    this.#progress.set(jobId, progress)
    const { percent, phase } = progress
    if (phase !== before?.phase && (phase === 'processing' || phase === 'placing')) {
      this.#events.send(job.userId, { event: 'youtube:processing', data: { downloadId: jobId, phase } })
    }
    const { percent: _percent, ...rest } = progress
    this.#events.send(job.userId, {
      event: 'youtube:progress',
      data: { downloadId: jobId, progress: percent, ...rest },
    })
  }

  async #ended(downloaderId: string, { jobId, lease, outcome }: Said<'result'>): Promise<void> {
    const job = this.#jobs.get(jobId)
    if (!holdsLease(job, downloaderId, lease)) return
    await this.#settle(job, outcome)
    await this.#dispatch()
  }

  async #settle(job: Job, outcome: Outcome): Promise<void> {
    switch (outcome.kind) {
      case 'returned':
        this.#jobs.put(waiting(job, 0))
        return
      case 'completed':
        return this.#placed(job, outcome)
      case 'cancelled':
        await this.#records.cancelled(job.id, Date.now())
        this.#forget(job.id)
        return this.#events.send(job.userId, { event: 'youtube:cancelled', data: { downloadId: job.id } })
      case 'failed':
        return this.#failed(job, outcome.failure)
    }
  }

  async #placed(job: Job, { file, plexPath }: Extract<Outcome, { kind: 'completed' }>): Promise<void> {
    await this.#records.scanning(job.id, file)
    const scan = { path: folderOf(plexPath), file: plexPath, since: Date.now(), requested: false }
    this.#jobs.put({ ...job, state: 'scanning', scan })
    this.#events.send(job.userId, {
      event: 'youtube:processing',
      data: { downloadId: job.id, phase: 'scanning' },
    })
    await this.#requestScan(job.id)
  }

  async #requestScan(id: string): Promise<void> {
    const job = this.#jobs.get(id)
    if (!job?.scan || job.scan.requested) return
    const { path, file } = job.scan
    const server = this.env.PLEX_SERVER.getByName(this.#config.plex.machineIdentifier)
    await server.requestScan({ path, requester: { kind: 'download', downloadId: id, file } })
    this.#jobs.put({ ...job, scan: { ...job.scan, requested: true } })
  }

  async #failed(job: Job, failure: Failure): Promise<void> {
    const { tries, retryBaseMs } = this.#config.downloads
    this.#progress.delete(job.id)
    if (failure.retryable && job.attempt < tries) {
      const attempt = job.attempt + 1
      const notBefore = Date.now() + retryBaseMs * 2 ** (job.attempt - 1)
      await this.#records.retrying(job.id, failure, attempt)
      this.#jobs.put({ ...waiting(job, notBefore), attempt })
      return this.#events.send(job.userId, {
        event: 'youtube:retrying',
        data: { downloadId: job.id, attempt, failure },
      })
    }
    await this.#records.failed(job.id, failure, Date.now())
    this.#forget(job.id)
    this.#events.send(job.userId, { event: 'youtube:failed', data: { downloadId: job.id, failure } })
  }

  // ── The round ───────────────────────────────────────────────────────────────────────────────────────────────────

  override async alarm(): Promise<void> {
    const now = Date.now()
    try {
      for (const job of this.#jobs.all().filter(isLeased)) {
        const holder = job.lease?.holder ?? ''
        const heard = Math.max(this.#downloaders.lastHeard(holder) ?? 0, (job.lease?.until ?? 0) - leaseMs)
        if (now - heard > leaseMs) this.#jobs.put(waiting(job, 0))
      }
      for (const { id, state, scan } of this.#jobs.all()) {
        if (state !== 'scanning' || !scan) continue
        if (now - scan.since > scanPatienceMs) await this.scanned(id, undefined)
        else await this.#requestScan(id)
      }
    } catch (error) {
      log('warn', 'queue-round-failed', { cause: String(error) })
    }
    await this.#dispatch()
  }

  async #dispatch(): Promise<void> {
    const now = Date.now()
    const candidates = this.#downloaders
      .all()
      .map(({ downloader: { downloaderId, slots, unwillingUntil } }) => ({
        downloaderId,
        slots,
        willing: unwillingUntil <= now,
      }))
    for (const { job, downloaderId } of assign(this.#jobs.all(), candidates, now)) {
      const { id, url, videoId, quality, format, attempt, lease } = this.#jobs.put(
        offered(job, downloaderId, now, leaseMs),
      )
      this.#progress.delete(id)
      const offer = { jobId: id, lease: lease.token, url, videoId, quality, format, attempt }
      this.#downloaders.send(downloaderId, { type: 'offer', job: offer })
    }
    const due = this.#jobs
      .all()
      .filter(({ state, notBefore }) => state === 'waiting' && notBefore > now)
      .map(({ notBefore }) => notBefore)
    if (this.#jobs.all().length > 0) await this.ctx.storage.setAlarm(Math.min(now + checkMs, ...due))
  }

  async #tellCreated(job: Job): Promise<void> {
    const [download] = await this.#records.find([job.id])
    if (!download) return
    const event = {
      event: 'youtube:created',
      data: { downloadId: job.id, download: { ...download, ...this.#liveState(job.id) } },
    } as const
    this.#events.send(job.userId, event)
  }

  #liveState(id: string): LiveState {
    const job = this.#jobs.get(id)
    const { percent = 0, ...progress } = this.#progress.get(id) ?? {}
    if (job?.state === 'scanning') return { progress: 100, waitingFor: 'plex' }
    if (job?.state !== 'waiting') return { progress: percent, ...progress }
    return { progress: 0, waitingFor: this.#downloaders.all().length === 0 ? 'downloader' : 'slot' }
  }

  #forget(id: string): void {
    this.#jobs.remove(id)
    this.#progress.delete(id)
  }
}
