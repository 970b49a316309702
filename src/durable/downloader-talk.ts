import { FromDownloader, leaseMs, linkProtocol, parseFrame, siteOf } from '#contract/downloader-link.ts'
import type { Outcome } from '#contract/downloader-link.ts'

import { leasedUntil, holdsLease, isHeldBy, reconcile, type Job } from '../youtube/job.ts'
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
        return this.#to.downloaders.update(socket, standingOf(message.state, now))
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
    const { jobs, downloaders } = this.#to
    const gone = downloaders.of(socket)
    if (!gone) return
    socket.serializeAttachment(null)
    if (downloaders.lastHeard(gone.downloaderId) !== undefined) return
    for (const job of jobs.all().filter((job) => isHeldBy(job, gone.downloaderId))) {
      jobs.put(leasedUntil(job, now + leaseMs, gone.phases[job.id]))
    }
  }

  #greet(socket: WebSocket, hello: Said<'hello'>, now: number): void {
    const { jobs, downloaders, story, removals } = this.#to
    const { downloaderId, slots, versions, state, holding, protocol } = hello
    if (protocol !== linkProtocol) return socket.close(1002, `this side speaks protocol ${linkProtocol}`)
    const { kept, drop, over, lost } = reconcile(jobs.all(), downloaderId, holding)
    const phases = Object.fromEntries(kept.flatMap(({ id, phase }) => (phase ? [[id, phase]] : [])))
    downloaders.introduce(socket, {
      downloaderId,
      slots,
      versions,
      ...standingOf(state, now),
      connectedAt: now,
      phases,
    })
    for (const job of kept) jobs.put(job)
    story.release(lost)
    sendTo(socket, { type: 'welcome', drop })
    // Its answer may be that the file is in place: then that must go.
    for (const { jobId, lease } of over) sendTo(socket, { type: 'cancel', jobId, lease })
    removals.remind(downloaderId)
  }

  async #hearOfJob(socket: WebSocket, downloader: Downloader, said: Leased, now: number): Promise<void> {
    const { jobId, lease } = said
    const job = this.#to.jobs.get(jobId)
    if (holdsLease(job, downloader.downloaderId, lease)) await this.#take(socket, downloader, job, said, now)
    else if (said.type === 'accepted') sendTo(socket, { type: 'cancel', jobId, lease })
    else if (said.type === 'result' && said.outcome.kind === 'completed' && !job) {
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
        return story.started(job, said.metadata, now)
      case 'progress': {
        const known = downloader.phases[job.id]
        const phase = story.progressed(job, said.progress, known)
        if (phase !== known) downloaders.update(socket, { phases: this.#phases(downloader, job, phase) })
        return
      }
      case 'result':
        downloaders.update(socket, { rests: this.#restsAfter(downloader, job, said.outcome, now) })
        return story.ended(job, said.outcome, now)
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
  #phases({ downloaderId, phases }: Downloader, { id }: Job, phase: Downloader['phases'][string]) {
    const held = Object.entries(phases).filter(([jobId]) => {
      const job = this.#to.jobs.get(jobId)
      return job !== undefined && isHeldBy(job, downloaderId)
    })
    return { ...Object.fromEntries(held), [id]: phase }
  }
}
