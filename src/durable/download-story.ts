import type { Outcome } from '#contract/downloader-link.ts'
import type { Phase, Progress, VideoMetadata } from '#contract/downloads.ts'
import type { Failure } from '#contract/failures.ts'
import type { LiveEvent } from '#contract/live.ts'

import type { DownloadRecords } from '../platform/download-records.ts'
import { folderOf } from '../plex/location.ts'
import { advance, asDownload, liveState, placed, released, retried } from '../youtube/job.ts'
import type { Job, RetryPolicy, Scan } from '../youtube/job.ts'
import type { LiveState } from '../youtube/ports.ts'
import type { JobTable } from './job-table.ts'

type Dependencies = {
  readonly jobs: JobTable
  readonly records: DownloadRecords
  readonly tell: (userId: string, event: LiveEvent) => void
  /** Whether the request was taken; it may be made again. */
  readonly requestScan: (downloadId: string, scan: Scan) => Promise<boolean>
  readonly itemUrl: (ratingKey: string) => string
  readonly isAnyConnected: () => boolean
  readonly retry: RetryPolicy
}

/**
 * What becomes of each download. Every change is written to D1, then kept here, then told to its owner: when one of
 * these fails the ones after it have not happened, and whoever brought the news brings it again. What D1 knows to be
 * over is let go of without a word.
 */
export class DownloadStory {
  readonly #to: Dependencies
  readonly #progress = new Map<string, Progress>()

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
  }

  begin(job: Job): void {
    this.#to.jobs.put(job)
    const download = { ...asDownload(job), ...this.liveState(job) }
    this.#to.tell(job.userId, { event: 'youtube:created', data: { downloadId: job.id, download } })
  }

  async started(job: Job, metadata: VideoMetadata, now: number): Promise<void> {
    const { id, userId, attempt } = job
    if (!(await this.#to.records.started(id, attempt, metadata, now))) return
    const data = { downloadId: id, title: metadata.title, attempt }
    this.#to.tell(userId, { event: 'youtube:started', data })
  }

  /** Answers the phase its owner knows of now. */
  progressed({ id, userId }: Job, reported: Progress, knownPhase: Phase | undefined): Phase {
    const progress = advance(this.#progress.get(id), reported)
    this.#progress.set(id, progress)
    const { percent, ...rest } = progress
    const { phase } = rest
    if (phase !== knownPhase && (phase === 'processing' || phase === 'placing')) {
      this.#to.tell(userId, { event: 'youtube:processing', data: { downloadId: id, phase } })
    }
    this.#to.tell(userId, { event: 'youtube:progress', data: { downloadId: id, progress: percent, ...rest } })
    return phase
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
        return this.#failed(job, outcome.failure, now)
    }
  }

  /** Back in the queue, to begin anew. */
  release(jobs: readonly Job[]): void {
    for (const job of jobs) {
      this.#progress.delete(job.id)
      this.#to.jobs.put(released(job))
    }
  }

  async cancel(userId: string, id: string, now: number): Promise<boolean> {
    const cancelled = await this.#to.records.cancelled(id, userId, now)
    if (!cancelled) return false
    this.#forget(id)
    this.#to.tell(userId, { event: 'youtube:cancelled', data: { downloadId: id } })
    return true
  }

  /** How the scan for a placed file ended. May come again, or when nobody waits for it any more. */
  async scanned(id: string, ratingKey: string | undefined, now: number): Promise<void> {
    const { jobs, records, tell, itemUrl } = this.#to
    const completed = await records.completed(id, ratingKey, now)
    const shown = completed ?? (ratingKey === undefined ? undefined : await records.shown(id, ratingKey))
    if (jobs.get(id)?.state === 'scanning') this.#forget(id)
    if (completed?.file) {
      tell(completed.userId, { event: 'youtube:completed', data: { downloadId: id, file: completed.file } })
    }
    if (shown && ratingKey !== undefined) {
      const data = { downloadId: id, ratingKey, url: itemUrl(ratingKey) }
      tell(shown.userId, { event: 'youtube:available', data })
    }
  }

  /** Asks for the scan of a placed file, unless that was done. */
  async requestScan(job: Job): Promise<void> {
    if (!job.scan || job.scan.requested) return
    const requested = await this.#to.requestScan(job.id, job.scan)
    if (requested) this.#to.jobs.put(placed(job, { ...job.scan, requested }))
  }

  liveState(job: Job): LiveState {
    return liveState(job, this.#progress.get(job.id), this.#to.isAnyConnected(), Date.now())
  }

  async #placed(
    job: Job,
    { file, plexPath }: Extract<Outcome, { kind: 'completed' }>,
    now: number,
  ): Promise<void> {
    const { jobs, records, requestScan, tell } = this.#to
    if (!(await records.scanning(job.id, file))) return this.#forget(job.id)
    const scan = { path: folderOf(plexPath), file: plexPath, since: now, requested: false }
    const requested = await requestScan(job.id, scan)
    jobs.put(placed(job, { ...scan, requested }))
    this.#progress.delete(job.id)
    tell(job.userId, { event: 'youtube:processing', data: { downloadId: job.id, phase: 'scanning' } })
  }

  async #failed(job: Job, failure: Failure, now: number): Promise<void> {
    const { jobs, records, tell, retry } = this.#to
    const { id, userId } = job
    const next = retried(job, failure, retry, now)
    if (!next) {
      const news = await records.failed(id, failure, now)
      this.#forget(id)
      if (news) tell(userId, { event: 'youtube:failed', data: { downloadId: id, failure } })
      return
    }
    if (!(await records.retrying(id, failure, next.attempt))) return this.#forget(id)
    this.#progress.delete(id)
    jobs.put(next)
    tell(userId, { event: 'youtube:retrying', data: { downloadId: id, attempt: next.attempt, failure } })
  }

  #forget(id: string): void {
    this.#to.jobs.remove(id)
    this.#progress.delete(id)
  }
}
