import { leaseMs } from '#contract/downloader-link.ts'

import type { DownloadRecords } from '../platform/download-records.ts'
import { log } from '../platform/logger.ts'
import { assign, type Situation } from '../youtube/assign.ts'
import type { Fairness } from '../youtube/fairness.ts'
import { fenced, lapse, newJob, type Job } from '../youtube/job.ts'
import { restsEndAt, wakeAt } from '../youtube/waits.ts'
import type { DownloadStory } from './download-story.ts'
import type { DownloaderSockets } from './downloader-sockets.ts'
import type { FileRemovals } from './file-removals.ts'
import type { JobTable } from './job-table.ts'
import { reasonOf } from './reason-of.ts'

/** Plex has this long to show a placed file; the download is completed without it then. */
const scanPatienceMs = 10 * 60_000
/** A stored download this old has been forgotten by whoever stored it. */
const adoptAfterMs = 30_000

type Dependencies = {
  readonly jobs: JobTable
  readonly downloaders: DownloaderSockets
  readonly records: DownloadRecords
  readonly story: DownloadStory
  readonly removals: FileRemovals
  readonly fairness: Fairness
  readonly situation: () => Situation
}

/** What happens to jobs without anybody saying a word. */
export class JobRounds {
  readonly #to: Dependencies

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
  }

  /** Stores what has changed, and offers what waits. Answers when to look again, where that is known. */
  handOut(now: number) {
    const { jobs, downloaders, situation } = this.#to
    const before = situation()
    const assigned = assign(before, now)
    for (const job of assigned) jobs.put(job)
    // Nobody is offered what is not stored.
    jobs.flush()
    for (const { id, url, videoId, quality, format, extras, attempt, lease } of assigned) {
      const job = { jobId: id, lease: lease.token, url, videoId, quality, format, extras, attempt }
      downloaders.send(lease.holder, { type: 'offer', job })
    }
    const after = { ...before, jobs: jobs.all() }
    return { wakeAt: wakeAt(after, now), restsEndAt: restsEndAt(after, now) }
  }

  /** Takes jobs from downloaders that are gone, and gives up on a Plex that does not answer. */
  async look(now: number): Promise<void> {
    const { jobs, downloaders, story, removals } = this.#to
    const heard = (downloaderId: string) => downloaders.lastHeard(downloaderId)
    for (const job of lapse(jobs.all(), heard, now, leaseMs)) {
      if (job.state === 'waiting') story.release([job])
      else jobs.put(job)
    }
    downloaders.closeSilent(now - leaseMs)
    await removals.round(now)
    for (const job of jobs.all()) await this.#lookAfterScan(job, now)
  }

  /** Takes in what D1 says is not over and nobody here knows of. Answers how many. */
  async adopt(now: number): Promise<number> {
    const { jobs, records, story, fairness } = this.#to
    const unfinished = await records.unfinished()
    // A younger one is still in the hands of the request that stored it.
    const lost = unfinished.rows.filter(
      ({ id, createdAt }) => !jobs.get(id) && now - Date.parse(createdAt) > adoptAfterMs,
    )
    for (const { status, attempt, ...download } of lost) {
      const job = fairness.inTurn(fenced(newJob(download, attempt), now), jobs.all())
      if (status === 'queued') story.begin(job)
      else if (status === 'scanning') await story.scanned(job.id, undefined, now)
      else jobs.put(job)
    }
    if (unfinished.isAll) await this.#letGoOf(new Set(unfinished.rows.map(({ id }) => id)))
    return lost.length
  }

  /** Of what D1 says is over this object has not noticed the end: it ended itself a moment too early. */
  async #letGoOf(unfinished: ReadonlySet<string>): Promise<void> {
    const { jobs, downloaders, story } = this.#to
    // What is being scanned is seen to when that has ended.
    const over = jobs.all().filter(({ id, state }) => state !== 'scanning' && !unfinished.has(id))
    for (const job of over) {
      await story.over(job)
      if (job.lease) downloaders.sendAll({ type: 'cancel', jobId: job.id, lease: job.lease.token })
    }
  }

  async #lookAfterScan(job: Job, now: number): Promise<void> {
    if (!job.scan) return
    try {
      if (now - job.scan.since > scanPatienceMs) await this.#to.story.scanned(job.id, undefined, now)
      else await this.#to.story.requestScan(job)
    } catch (error) {
      log('warn', 'scan-not-looked-after', { cause: reasonOf(error) })
    }
  }
}
