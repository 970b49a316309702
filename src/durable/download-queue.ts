import { DurableObject } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'

import { pingFrame, pongFrame } from '#contract/downloader-link.ts'
import { isActive } from '#contract/downloads.ts'

import { configOf } from '../config.ts'
import { createDownloadRecords } from '../platform/download-records.ts'
import { createLiveRooms } from '../platform/live-rooms.ts'
import { log } from '../platform/logger.ts'
import { itemUrl } from '../plex/parse.ts'
import { isHeldBy, newJob, type Job, type Scan } from '../youtube/job.ts'
import type {
  ConnectedDownloader,
  LiveState,
  MetadataAnswer,
  NewDownload,
  PlaylistAnswer,
  QueueOverview,
  Removal,
} from '../youtube/ports.ts'
import { DownloadStory } from './download-story.ts'
import { DownloaderSockets, sendTo } from './downloader-sockets.ts'
import { DownloaderTalk } from './downloader-talk.ts'
import { JobRounds } from './job-rounds.ts'
import { JobTable } from './job-table.ts'
import { OwnerEvents } from './owner-events.ts'
import { Questions } from './questions.ts'
import { reasonOf } from './reason-of.ts'
import { Turns } from './turns.ts'

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
  readonly #events = new OwnerEvents(
    createLiveRooms(this.env.LIVE_ROOM, this.#config.liveShards, log).publish,
  )
  readonly #questions = new Questions()
  readonly #story = new DownloadStory({
    jobs: this.#jobs,
    records: this.#records,
    tell: (userId, event) => this.#events.send(userId, event),
    requestScan: (downloadId, scan) => this.#requestScan(downloadId, scan),
    itemUrl: (ratingKey) => itemUrl(this.#config.plex.machineIdentifier, ratingKey),
    isAnyConnected: () => this.#downloaders.all().length > 0,
    retry: this.#config.downloads,
  })
  readonly #rounds = new JobRounds({
    jobs: this.#jobs,
    downloaders: this.#downloaders,
    records: this.#records,
    story: this.#story,
  })
  readonly #talk = new DownloaderTalk({
    jobs: this.#jobs,
    downloaders: this.#downloaders,
    questions: this.#questions,
    story: this.#story,
  })

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env)
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair(pingFrame, pongFrame))
  }

  enqueue(download: NewDownload, how?: { readonly attempt: number }): Promise<void> {
    return this.#turn(async () => {
      if (!this.#jobs.get(download.id)) this.#story.begin(newJob(download, how?.attempt))
    })
  }

  cancel(userId: string, id: string): Promise<boolean> {
    return this.#turn(async () => {
      const job = this.#jobs.get(id)
      const cancelled = await this.#story.cancel(userId, id, Date.now())
      if (cancelled && job?.state === 'leased' && job.lease) {
        this.#downloaders.send(job.lease.holder, { type: 'cancel', jobId: id, lease: job.lease.token })
      }
      return cancelled
    })
  }

  liveStates(ids: readonly string[]): Record<string, LiveState> {
    const jobs = ids.flatMap((id) => this.#jobs.get(id) ?? [])
    return Object.fromEntries(jobs.map((job) => [job.id, this.#story.liveState(job)]))
  }

  /** The user's downloads that are not over, for a subscriber who has just come. */
  async active(userId: string) {
    const mine = this.#jobs.all().filter((job) => job.userId === userId)
    const downloads = await this.#records.find(mine.map(({ id }) => id))
    const states = this.liveStates(downloads.map(({ id }) => id))
    return downloads
      .filter(({ status }) => isActive(status))
      .map((download) => ({ ...download, ...states[download.id] }))
  }

  async metadata(url: string): Promise<MetadataAnswer> {
    const all = this.#downloaders.all()
    const able = all.find(({ downloader }) => !downloader.state.troubles.includes('ytdlp-missing'))
    const chosen = able ?? all[0]
    if (!chosen) return { kind: 'unavailable' }
    const question = this.#questions.ask(this.#config.downloads.metadataTimeoutMs)
    sendTo(chosen.socket, { type: 'ask', requestId: question.id, question: { kind: 'metadata', url } })
    const answer = await question.answer
    return answer.kind === 'playlist' ? { kind: 'timeout' } : answer
  }

  async playlist(url: string, limit: number): Promise<PlaylistAnswer> {
    const [chosen] = this.#downloaders.all()
    if (!chosen) return { kind: 'unavailable' }
    const question = this.#questions.ask(this.#config.downloads.metadataTimeoutMs)
    sendTo(chosen.socket, {
      type: 'ask',
      requestId: question.id,
      question: { kind: 'playlist', url, limit },
    })
    const answer = await question.answer
    return answer.kind === 'metadata' ? { kind: 'timeout' } : answer
  }

  overview(): QueueOverview {
    const count = (state: Job['state']) => this.#jobs.all().filter((job) => job.state === state).length
    return {
      paused: false,
      waiting: count('waiting'),
      running: count('leased'),
      scanning: count('scanning'),
      removals: 0,
    }
  }

  async pause(_paused: boolean): Promise<void> {}

  async remove(_removal: Removal): Promise<void> {}

  downloaders(): ConnectedDownloader[] {
    return this.#downloaders.all().map(({ downloader: { downloaderId, slots, versions, state } }) => ({
      id: downloaderId,
      slots,
      busy: this.#jobs.all().filter((job) => isHeldBy(job, downloaderId)).length,
      freeBytes: state.freeBytes,
      sites: state.sites ?? [],
      troubles: state.troubles,
      versions,
    }))
  }

  queued(): number {
    return this.#jobs.all().filter(({ state }) => state === 'waiting').length
  }

  scanned(id: string, ratingKey: string | undefined): Promise<void> {
    return this.#turn(() => this.#story.scanned(id, ratingKey, Date.now()))
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

  async #turn<T>(work: () => Promise<T>, now?: number): Promise<T> {
    return this.#turns.run(async () => {
      try {
        return await work()
      } finally {
        const wake = this.#rounds.handOut(now ?? Date.now())
        const known = wake === undefined ? undefined : await this.ctx.storage.getAlarm()
        if (wake !== undefined && (known ?? Infinity) > wake) await this.ctx.storage.setAlarm(wake)
      }
    })
  }

  async #requestScan(downloadId: string, { path, file }: Scan): Promise<boolean> {
    try {
      const server = this.env.PLEX_SERVER.getByName(this.#config.plex.machineIdentifier)
      await server.requestScan({ path, requester: { kind: 'download', downloadId, file } })
      return true
    } catch (error) {
      log('warn', 'scan-not-requested', { cause: reasonOf(error) })
      return false
    }
  }
}
