import type { Outcome } from '#contract/downloader-link.ts'
import { isActive, type Progress, type VideoMetadata } from '#contract/downloads.ts'
import { isRetryable, policyOf, type Failure } from '#contract/failures.ts'
import type { LiveEvent } from '#contract/live.ts'

import type { DownloadRecords } from '../platform/download-records.ts'
import { folderOf } from '../plex/location.ts'
import type { Situation } from '../youtube/assign.ts'
import {
  advance,
  asDownload,
  placed,
  released,
  untold,
  type Job,
  type Scan,
  type Told,
} from '../youtube/job.ts'
import type { LiveState } from '../youtube/ports.ts'
import { verdictOn, withoutEvidence, type RetryPolicy } from '../youtube/verdict.ts'
import { liveState } from '../youtube/waits.ts'
import { Completions } from './completions.ts'
import type { DownloaderSockets } from './downloader-sockets.ts'
import type { FileRemovals } from './file-removals.ts'
import type { JobTable } from './job-table.ts'
import type { LibraryUpdates } from './library-updates.ts'
import type { SpaceCheck } from './space-check.ts'

type Dependencies = {
  readonly jobs: JobTable
  readonly downloaders: Pick<DownloaderSockets, 'told'>
  readonly records: DownloadRecords
  readonly library: LibraryUpdates
  readonly removals: FileRemovals
  readonly space: SpaceCheck
  readonly situation: () => Situation
  readonly tell: (userId: string, event: LiveEvent) => void
  /** Whether the request was taken; it may be made again. */
  readonly requestScan: (downloadId: string, scan: Scan) => Promise<boolean>
  readonly itemUrl: (ratingKey: string) => string
  readonly retry: RetryPolicy
  readonly random: () => number
}

type Completed = Extract<Outcome, { kind: 'completed' }>
type Failed = Extract<Outcome, { kind: 'failed' }>

/**
 * What becomes of each download. Every change is written to D1, then kept here, then told to its owner: when one of
 * these fails the ones after it have not happened, and whoever brought the news brings it again. What D1 knows to be
 * over is let go of without a word.
 */
export class DownloadStory {
  readonly #to: Dependencies
  readonly #completions: Completions
  readonly #progress = new Map<string, Progress>()

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
    this.#completions = new Completions({ ...dependencies, forget: (id) => this.#forget(id) })
  }

  begin(job: Job): void {
    this.#to.jobs.put(job)
    const download = { ...asDownload(job), ...this.liveState(job) }
    this.#to.tell(job.userId, { event: 'youtube:created', data: { downloadId: job.id, download } })
  }

  /** Somebody has asked for another try. */
  beginAgain(job: Job): void {
    this.#to.jobs.put(job)
    const data = { downloadId: job.id, attempt: job.attempt }
    this.#to.tell(job.userId, { event: 'youtube:retrying', data })
  }

  /** Answers false when there is no room for what it turns out to be: then it has failed. */
  async started(job: Job, metadata: VideoMetadata, now: number): Promise<boolean> {
    if (!(await this.#to.space.admits(job, metadata))) {
      const code = 'quota-exceeded'
      const failure: Failure = { code, retryable: isRetryable(code), advice: policyOf(code).advice }
      await this.#over(job, failure, now)
      return false
    }
    await this.#tellStarted(job, metadata, now)
    return true
  }

  async #tellStarted({ id, userId, attempt }: Job, metadata: VideoMetadata, now: number): Promise<void> {
    if (!(await this.#to.records.started(id, attempt, metadata, now))) return
    const data = { downloadId: id, title: metadata.title, attempt }
    this.#to.tell(userId, { event: 'youtube:started', data })
  }

  /** Answers what its owner knows now. */
  progressed(job: Job, reported: Progress): Told {
    const { id, userId } = job
    const before = this.told(job)
    const progress = advance(before, reported)
    this.#progress.set(id, progress)
    const { percent, ...rest } = progress
    const { phase } = rest
    if (phase !== before?.phase && (phase === 'processing' || phase === 'placing')) {
      this.#to.tell(userId, { event: 'youtube:processing', data: { downloadId: id, phase } })
    }
    this.#to.tell(userId, { event: 'youtube:progress', data: { downloadId: id, progress: percent, ...rest } })
    return { phase, percent }
  }

  /** How far its owner believes the job to be, in this attempt. */
  told(job: Job): Told | undefined {
    const { phase, percent } = this.#progress.get(job.id) ?? this.#to.downloaders.told(job) ?? job.told ?? {}
    return phase === undefined || percent === undefined ? undefined : { phase, percent }
  }

  async ended(job: Job, outcome: Outcome, now: number): Promise<void> {
    switch (outcome.kind) {
      case 'returned':
        return this.release([job])
      case 'completed':
        return this.#placed(job, outcome, now)
      case 'cancelled':
        if (!(await this.cancel(job.userId, job.id, now))) this.#forget(job.id)
        return
      case 'failed':
        return this.#failed(job, outcome, now)
    }
  }

  /** Back in the queue. It begins anew, but for its owner it does not go back: this is the same attempt. */
  release(jobs: readonly Job[]): void {
    for (const job of jobs) {
      const told = this.told(job)
      const waiting = { ...released(job), ...(told && { told }) }
      this.#progress.delete(job.id)
      this.#to.jobs.put(waiting)
      if (told) this.#tellWaiting(waiting, told)
    }
  }

  /** Nobody works on it any more: what was said of its speed and its end does not hold. */
  #tellWaiting(job: Job, { phase, percent }: Told): void {
    const { waitingFor } = this.liveState(job)
    const data = { downloadId: job.id, progress: percent, phase, ...(waitingFor && { waitingFor }) }
    this.#to.tell(job.userId, { event: 'youtube:progress', data })
  }

  /** At any moment before it is over. A file that is in place already goes. */
  async cancel(userId: string, id: string, now: number): Promise<boolean> {
    const cancelled = await this.#to.records.cancelled(id, userId, now)
    if (!cancelled) return false
    this.#forget(id)
    await this.#completions.giveUpFile(cancelled, now)
    this.#to.tell(userId, { event: 'youtube:cancelled', data: { downloadId: id } })
    return true
  }

  /** D1 says that it has ended, and nobody here has told of it: after an object that died between the two. */
  async over({ id, userId }: Job): Promise<void> {
    const row = await this.#to.records.row(id)
    this.#forget(id)
    if (row?.status === 'cancelled')
      this.#to.tell(userId, { event: 'youtube:cancelled', data: { downloadId: id } })
  }

  /**
   * A file was placed for a download nobody here knows of: it goes, unless it is the one that the download has ended with,
   * or it took the place of somebody else’s.
   */
  async strayed(id: string, downloaderId: string, { file, plexPath }: Completed): Promise<void> {
    const row = await this.#to.records.row(id)
    const isPlaced = row?.status === 'scanning' || (row && !isActive(row.status))
    if (!isPlaced || row.plexPath === plexPath) return
    if (await this.#to.records.isOthers(id, plexPath, file)) return
    const { userId, videoId } = row
    this.#to.removals.order({ downloadId: id, userId, videoId, downloaderId, plexPath, file })
  }

  scanned(id: string, ratingKey: string | undefined, now: number): Promise<void> {
    return this.#completions.scanned(id, ratingKey, now)
  }

  /** Asks for the scan of a placed file, unless that was done. */
  async requestScan(job: Job): Promise<void> {
    if (!job.scan || job.scan.requested) return
    const requested = await this.#to.requestScan(job.id, job.scan)
    if (requested) this.#to.jobs.put(placed(job, { ...job.scan, requested }))
  }

  liveState(job: Job, situation = this.#to.situation()): LiveState {
    return liveState(job, this.#progress.get(job.id) ?? this.told(job), situation, Date.now())
  }

  async #placed(job: Job, outcome: Completed, now: number): Promise<void> {
    const { jobs, records, requestScan, tell } = this.#to
    const { file, plexPath, selection, warnings } = outcome
    const downloaderId = job.lease?.holder ?? ''
    if (!(await records.scanning(job.id, { file, plexPath, selection, warnings, downloaderId }))) {
      await this.strayed(job.id, downloaderId, outcome)
      return this.#forget(job.id)
    }
    const scan = { path: folderOf(plexPath), file: plexPath, since: now, requested: false }
    const requested = await requestScan(job.id, scan)
    jobs.put(placed(job, { ...scan, requested }))
    this.#progress.delete(job.id)
    tell(job.userId, { event: 'youtube:processing', data: { downloadId: job.id, phase: 'scanning' } })
  }

  async #failed(job: Job, { failure, neededBytes }: Failed, now: number): Promise<void> {
    const { jobs, records, tell, situation, retry, random } = this.#to
    const { candidates } = situation()
    const verdict = verdictOn(job, failure, { candidates, retry, neededBytes, now, random: random() })
    if (verdict.kind === 'failed') return this.#over(job, verdict.failure, now)
    const { attempt } = verdict.job
    const data = { downloadId: job.id, failure: withoutEvidence(verdict.failure) }
    if (!(await records.retrying(job.id, verdict.failure, attempt))) return this.#forget(job.id)
    this.#progress.delete(job.id)
    jobs.put(untold(verdict.job))
    tell(job.userId, { event: 'youtube:retrying', data: { ...data, attempt } })
  }

  async #over({ id, userId }: Job, failure: Failure, now: number): Promise<void> {
    const news = await this.#to.records.failed(id, failure, now)
    this.#forget(id)
    const data = { downloadId: id, failure: withoutEvidence(failure) }
    if (news) this.#to.tell(userId, { event: 'youtube:failed', data })
  }

  #forget(id: string): void {
    this.#to.jobs.remove(id)
    this.#progress.delete(id)
  }
}
