import { DurableObject } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'

import { pingFrame, pongFrame } from '#contract/downloader-link.ts'
import { isActive } from '#contract/downloads.ts'

import { configOf } from '../config.ts'
import { createDownloadRecords } from '../platform/download-records.ts'
import { createDownloadRetention } from '../platform/download-retention.ts'
import { createDownloadStore } from '../platform/download-store.ts'
import { createLibraryIndex } from '../platform/library-index.ts'
import { createLiveRooms } from '../platform/live-rooms.ts'
import { log } from '../platform/logger.ts'
import { itemUrl } from '../plex/parse.ts'
import type { ScanRequest } from '../plex/scan.ts'
import type { Situation } from '../youtube/assign.ts'
import { Fairness } from '../youtube/fairness.ts'
import { isHeldBy, newJob, reopened, type Job } from '../youtube/job.ts'
import type {
  ConnectedDownloader,
  LiveState,
  MetadataAnswer,
  NewDownload,
  PlaylistAnswer,
  QueueOverview,
  Removal,
} from '../youtube/ports.ts'
import { restingSites } from '../youtube/sites.ts'
import { forUser } from '../youtube/view.ts'
import { DownloadStory } from './download-story.ts'
import { DownloaderSockets } from './downloader-sockets.ts'
import { DownloaderTalk } from './downloader-talk.ts'
import { FileRemovals } from './file-removals.ts'
import { JobRounds } from './job-rounds.ts'
import { JobTable } from './job-table.ts'
import { LibraryUpdates } from './library-updates.ts'
import { OwnerEvents } from './owner-events.ts'
import { Questions } from './questions.ts'
import { reasonOf } from './reason-of.ts'
import { SpaceCheck } from './space-check.ts'
import { Turns } from './turns.ts'
import { Wakes } from './wakes.ts'

/**
 * The queue of downloads and who works on what. A job belongs to the downloader that holds its lease; what comes under
 * an older lease changes nothing. Whatever changes a job has its turn, after which waiting jobs are handed out. Alarms
 * are set for what comes at a known time only; what is looked after now and then waits for the minute's round.
 */
export class DownloadQueue extends DurableObject<Env> {
  readonly #config = configOf(this.env)
  readonly #turns = new Turns()
  readonly #jobs = new JobTable(this.ctx.storage.kv)
  readonly #downloaders = new DownloaderSockets(this.ctx)
  readonly #records = createDownloadRecords(drizzle(this.env.DB), this.#config.plex.machineIdentifier)
  readonly #library = new LibraryUpdates(createLibraryIndex(this.env.CACHE))
  readonly #events = new OwnerEvents(
    createLiveRooms(this.env.LIVE_ROOM, this.#config.liveShards, log).publish,
  )
  readonly #questions = new Questions(this.#downloaders, this.#config.downloads.metadataTimeoutMs)
  readonly #parts = {
    jobs: this.#jobs,
    downloaders: this.#downloaders,
    records: this.#records,
    library: this.#library,
    fairness: new Fairness(),
    space: new SpaceCheck({
      jobs: this.#jobs,
      store: createDownloadStore(drizzle(this.env.DB), this.#config.plex.machineIdentifier),
      storage: this.#config.downloads.storage,
    }),
    tell: this.#events.send.bind(this.#events),
    situation: () => this.#situation(),
  }
  readonly #removals = new FileRemovals({
    ...this.#parts,
    storage: this.ctx.storage.kv,
    retention: createDownloadRetention(drizzle(this.env.DB)),
    requestScan: (path, requester) => this.#requestScan({ path, requester }),
  })
  readonly #story = new DownloadStory({
    ...this.#parts,
    removals: this.#removals,
    requestScan: (downloadId, { path, file }) =>
      this.#requestScan({ path, requester: { kind: 'download', downloadId, file } }),
    itemUrl: (ratingKey) => itemUrl(this.#config.plex.machineIdentifier, ratingKey),
    retry: this.#config.downloads,
    random: Math.random,
  })
  readonly #rounds = new JobRounds({ ...this.#parts, story: this.#story, removals: this.#removals })
  readonly #talk = new DownloaderTalk({
    ...this.#parts,
    questions: this.#questions,
    story: this.#story,
    removals: this.#removals,
  })
  readonly #wakes = new Wakes(this.ctx.storage, () => this.round())
  #paused: boolean | undefined

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(pingFrame, pongFrame))
  }

  enqueue(download: NewDownload, how?: { readonly attempt: number }): Promise<void> {
    return this.#turn(async () => {
      if (this.#jobs.get(download.id)) return
      const inTurn = (job: Job): Job => this.#parts.fairness.inTurn(job, this.#jobs.all())
      if (how) this.#story.beginAgain(inTurn(reopened(download, how.attempt, Date.now())))
      else this.#story.begin(inTurn(newJob(download)))
    })
  }

  cancel(userId: string, id: string): Promise<boolean> {
    return this.#turn(async () => {
      const job = this.#jobs.get(id)
      const cancelled = await this.#story.cancel(userId, id, Date.now())
      // Whoever has held it before may keep what it had fetched, for another try.
      if (cancelled && job?.lease && job.state !== 'scanning') {
        this.#downloaders.sendAll({ type: 'cancel', jobId: id, lease: job.lease.token })
      }
      return cancelled
    })
  }

  liveStates(ids: readonly string[]): Record<string, LiveState> {
    const jobs = ids.flatMap((id) => this.#jobs.get(id) ?? [])
    const situation = this.#situation()
    return Object.fromEntries(jobs.map((job) => [job.id, this.#story.liveState(job, situation)]))
  }

  /** The user's downloads that are not over, for a subscriber who has just come. */
  async active(userId: string) {
    const mine = this.#jobs.all().filter((job) => job.userId === userId)
    const downloads = await this.#records.find(mine.map(({ id }) => id))
    const states = this.liveStates(downloads.map(({ id }) => id))
    return downloads
      .filter(({ status }) => isActive(status))
      .map((download) => ({ ...forUser({ role: 'user' }, download), ...states[download.id] }))
  }

  metadata(url: string): Promise<MetadataAnswer> {
    return this.#questions.metadata(url, Date.now())
  }

  playlist(url: string, limit: number): Promise<PlaylistAnswer> {
    return this.#questions.playlist(url, limit, Date.now())
  }

  overview(): QueueOverview {
    return {
      paused: this.#isPaused(),
      waiting: this.#count('waiting'),
      running: this.#count('leased'),
      scanning: this.#count('scanning'),
      removals: this.#removals.leaving().length,
    }
  }

  pause(paused: boolean): Promise<void> {
    return this.#turn(async () => {
      if (paused === this.#isPaused()) return
      this.ctx.storage.kv.put('paused', paused)
      this.#paused = paused
      this.#events.sendToAdmins({ event: 'youtube:queue', data: { paused } })
    })
  }

  remove(removal: Removal): Promise<void> {
    return this.#turn(async () => this.#removals.order(removal))
  }

  removals() {
    const idsOf = (some: readonly Removal[]) => some.map(({ downloadId }) => downloadId)
    return { leaving: idsOf(this.#removals.leaving()), stuck: idsOf(this.#removals.stuck()) }
  }

  downloaders(now = Date.now()): ConnectedDownloader[] {
    return this.#downloaders.all().map(({ downloader: { downloaderId, slots, versions, state, rests } }) => ({
      id: downloaderId,
      slots,
      busy: this.#jobs.all().filter((job) => isHeldBy(job, downloaderId)).length,
      freeBytes: state.freeBytes,
      sites: restingSites(rests, now),
      troubles: state.troubles,
      versions,
    }))
  }

  queued(): number {
    return this.#count('waiting')
  }

  async scanned(id: string, ratingKey: string | undefined): Promise<void> {
    await this.#turn(() => this.#story.scanned(id, ratingKey, Date.now()))
    await this.#library.settled()
  }

  /** The minute's round, and the taking in of downloads that were stored and are unknown here. Answers how many. */
  async adopt(now = Date.now()): Promise<number> {
    await this.round(now)
    return this.#turn(() => this.#rounds.adopt(now), now)
  }

  round(now = Date.now()): Promise<void> {
    return this.#turn(() => this.#rounds.look(now), now)
  }

  override async alarm(): Promise<void> {
    await this.round()
  }

  override fetch(): Response {
    const { 0: client, 1: server } = new WebSocketPair()
    this.ctx.acceptWebSocket(server)
    return new Response(null, { status: 101, webSocket: client })
  }

  override async webSocketMessage(socket: WebSocket, data: string | ArrayBuffer): Promise<void> {
    try {
      await this.#turn(() => this.#talk.hear(socket, data, Date.now()))
    } catch (error) {
      log('warn', 'downloader-not-heard', { cause: reasonOf(error) })
      // It will come back and say again what counts.
      socket.close(1011, 'this could not be stored')
    }
  }

  // The hibernation API leaves the closing handshake to us; these codes may not be sent.
  override async webSocketClose(socket: WebSocket, code: number, reason: string): Promise<void> {
    if (code !== 1005 && code !== 1006 && code !== 1015) socket.close(code, reason)
    await this.#turn(async () => this.#talk.left(socket, Date.now()))
  }

  override async webSocketError(socket: WebSocket): Promise<void> {
    await this.#turn(async () => this.#talk.left(socket, Date.now()))
  }

  async #turn<T>(work: () => Promise<T>, at?: number): Promise<T> {
    return this.#turns.run(async () => {
      try {
        return await work()
      } finally {
        const now = at ?? Date.now()
        const { wakeAt, restsEndAt } = this.#rounds.handOut(now)
        this.#wakes.byTimer(restsEndAt, now)
        await this.#wakes.byAlarm(wakeAt)
      }
    })
  }

  #situation(): Situation {
    return {
      jobs: this.#jobs.all(),
      candidates: this.#downloaders.candidates(),
      paused: this.#isPaused(),
      perSite: this.#config.downloads.perSite,
      removing: this.#removals.leaving(),
    }
  }

  #isPaused(): boolean {
    this.#paused ??= this.ctx.storage.kv.get<boolean>('paused') ?? false
    return this.#paused
  }

  #count(state: Job['state']): number {
    return this.#jobs.all().filter((job) => job.state === state).length
  }

  async #requestScan(request: ScanRequest): Promise<boolean> {
    try {
      const server = this.env.PLEX_SERVER.getByName(this.#config.plex.machineIdentifier)
      await server.requestScan(request)
      return true
    } catch (error) {
      log('warn', 'scan-not-requested', { cause: reasonOf(error) })
      return false
    }
  }
}
