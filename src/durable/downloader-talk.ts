import { FromDownloader, leaseMs, linkProtocol, parseFrame, siteOf } from '#contract/downloader-link.ts'
import type { Outcome } from '#contract/downloader-link.ts'
import { isActive } from '#contract/downloads.ts'

import type { DownloadRecords } from '../platform/download-records.ts'
import { leasedUntil, holdsLease, isHeldBy, reconcile, type Job, type Told } from '../youtube/job.ts'
import { withoutRest, withRest } from '../youtube/sites.ts'
import { restFor } from '../youtube/verdict.ts'
import type { DownloadStory } from './download-story.ts'
import { sendTo, standingOf, type Downloader, type DownloaderSockets } from './downloader-sockets.ts'
import type { FileRemovals } from './file-removals.ts'
import type { JobTable } from './job-table.ts'
import type { Questions } from './questions.ts'

const noSlotMs = 10_000

type Said<T extends FromDownloader['type']> = Extract<FromDownloader, { type: T }>
type Leased = Said<'started' | 'progress' | 'result' | 'accepted' | 'declined'>

type Dependencies = {
  readonly jobs: JobTable
  readonly downloaders: DownloaderSockets
  readonly records: Pick<DownloadRecords, 'find'>
  readonly questions: Questions
  readonly story: DownloadStory
  readonly removals: FileRemovals
}

/** What downloaders say, and what it means for the jobs they hold. */
export class DownloaderTalk {
  readonly #to: Dependencies

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
  }

  async hear(socket: WebSocket, data: string | ArrayBuffer, now: number): Promise<void> {
    const message = parseFrame(FromDownloader, data)
    if (!message) return socket.close(1007, 'not a message of this protocol')
    this.#to.downloaders.heard(socket, now)
    if (message.type === 'hello') return this.#greet(socket, message, now)
    const downloader = this.#to.downloaders.of(socket)
    if (!downloader) return socket.close(1008, 'say hello first')
    switch (message.type) {
      case 'state':
        return this.#to.downloaders.update(socket, {
          ...standingOf(message.state, now),
          ...(message.versions && { versions: message.versions }),
        })
      case 'answer':
        return this.#to.questions.answered(message.requestId, message.answer)
      case 'removed':
        return this.#to.removals.heard(downloader.downloaderId, message, now)
      default:
        return this.#hearOfJob(socket, downloader, message, now)
    }
  }

  /** The connection is lost: its jobs stay with it for as long as a lease, unless it has another connection. */
  left(socket: WebSocket, now: number): void {
    const { jobs, downloaders, story } = this.#to
    const gone = downloaders.of(socket)
    if (!gone) return
    const held = jobs.all().filter((job) => isHeldBy(job, gone.downloaderId))
    const waiting = held.map((job) => leasedUntil(job, now + leaseMs, story.told(job)))
    socket.serializeAttachment(null)
    if (downloaders.lastHeard(gone.downloaderId) !== undefined) return
    for (const job of waiting) jobs.put(job)
  }

  async #greet(socket: WebSocket, hello: Said<'hello'>, now: number): Promise<void> {
    const { jobs, downloaders, story, removals } = this.#to
    const { downloaderId, slots, versions, state, holding, protocol } = hello
    if (protocol !== linkProtocol) return socket.close(1002, `this side speaks protocol ${linkProtocol}`)
    const { kept, drop, over, lost } = reconcile(jobs.all(), downloaderId, holding)
    const told = Object.fromEntries(
      kept.flatMap(({ id, told, lease }) => (told && lease ? [[id, { ...told, lease: lease.token }]] : [])),
    )
    downloaders.introduce(socket, {
      downloaderId,
      slots,
      versions,
      ...standingOf(state, now),
      connectedAt: now,
      told,
    })
    for (const job of kept) jobs.put(job)
    story.release(lost)
    sendTo(socket, { type: 'welcome', drop })
    // Its answer may be that the file is in place: then that must go.
    for (const { jobId, lease } of over) sendTo(socket, { type: 'cancel', jobId, lease })
    await removals.remind(downloaderId, now)
    await this.#clearParts(socket, hello.kept ?? [])
  }

  /** What it had fetched of a job that failed may be continued; of one that is over otherwise nothing is to be left. */
  async #clearParts(socket: WebSocket, kept: readonly string[]): Promise<void> {
    const ids = kept.filter((id) => !this.#to.jobs.get(id))
    const known = await this.#to.records.find(ids)
    const mayGoOn = new Set(
      known.filter(({ status }) => status === 'failed' || isActive(status)).map(({ id }) => id),
    )
    for (const jobId of ids) if (!mayGoOn.has(jobId)) sendTo(socket, { type: 'cancel', jobId, lease: 1 })
  }

  async #hearOfJob(socket: WebSocket, downloader: Downloader, said: Leased, now: number): Promise<void> {
    const { jobId, lease } = said
    const job = this.#to.jobs.get(jobId)
    const isFetching = job !== undefined && job.state !== 'scanning'
    if (holdsLease(job, downloader.downloaderId, lease)) await this.#take(socket, downloader, job, said, now)
    else if (said.type === 'accepted') sendTo(socket, { type: 'cancel', jobId, lease })
    else if (said.type === 'result' && said.outcome.kind === 'completed' && !isFetching) {
      await this.#to.story.strayed(jobId, downloader.downloaderId, said.outcome)
    }
    if (said.type === 'result') sendTo(socket, { type: 'acknowledged', jobId, lease })
  }

  async #take(socket: WebSocket, downloader: Downloader, job: Job, said: Leased, now: number): Promise<void> {
    const { downloaders, story } = this.#to
    switch (said.type) {
      case 'accepted':
        return
      case 'declined':
        downloaders.update(socket, this.#declined(downloader, job, said.reason, now))
        return story.release([job])
      case 'started':
        if (!(await story.started(job, said.metadata, now)))
          sendTo(socket, { type: 'cancel', jobId: job.id, lease: said.lease })
        return
      case 'progress': {
        const known = downloaders.told(job)
        const told = story.progressed(job, said.progress)
        if (told.phase !== known?.phase)
          downloaders.update(socket, { told: this.#toldOfHeld(downloader, job, told) })
        return
      }
      case 'result':
        downloaders.update(socket, { rests: this.#restsAfter(downloader, job, said.outcome, now) })
        await story.ended(job, said.outcome, now)
        // Others may have held it before, and keep what they had fetched.
        if (said.outcome.kind === 'completed' && said.lease > 1)
          downloaders.sendAll({ type: 'cancel', jobId: job.id, lease: said.lease }, downloader.downloaderId)
        return
    }
  }

  #declined(
    { rests }: Downloader,
    { url }: Job,
    reason: Said<'declined'>['reason'],
    now: number,
  ): Partial<Downloader> {
    if (reason !== 'site') return { unwillingUntil: now + (reason === 'no-slot' ? noSlotMs : leaseMs) }
    return { rests: withRest(rests, { site: siteOf(url), reason: 'pace', until: now + noSlotMs }, now) }
  }

  /** What a result says about its site, should the downloader not have said so itself. */
  #restsAfter({ rests }: Downloader, job: Job, outcome: Outcome, now: number) {
    if (outcome.kind === 'completed') return withoutRest(rests, siteOf(job.url), now)
    const rest = outcome.kind === 'failed' ? restFor(job, outcome.failure, now) : undefined
    return rest ? withRest(rests, rest, now) : rests
  }

  /** Without those of jobs it no longer holds. */
  #toldOfHeld({ downloaderId, told }: Downloader, { id, lease }: Job, news: Told): Downloader['told'] {
    const held = Object.entries(told).filter(([jobId]) => {
      const job = this.#to.jobs.get(jobId)
      return job !== undefined && isHeldBy(job, downloaderId)
    })
    return { ...Object.fromEntries(held), [id]: { ...news, lease: lease?.token ?? 0 } }
  }
}
