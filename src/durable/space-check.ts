import type { VideoMetadata } from '#contract/downloads.ts'

import type { DownloadStore } from '../youtube/ports.ts'
import { predictSelection } from '../youtube/predict.ts'
import type { Job } from '../youtube/job.ts'
import type { JobTable } from './job-table.ts'

type Limits = { readonly user?: number | undefined; readonly total?: number | undefined }

type Dependencies = {
  readonly jobs: JobTable
  readonly store: Pick<DownloadStore, 'bytesOf'>
  /** In bytes; what is absent is not limited. */
  readonly storage: Limits
}

/**
 * Whether there is room for a film by the quotas, once its size is known: whoever asked for it did not know it yet. What is
 * under way counts by what it is expected to be; the object may forget that, and then counts what is in place.
 */
export class SpaceCheck {
  readonly #to: Dependencies
  readonly #expected = new Map<string, number>()

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
  }

  /** Promises the room that the job needs, or answers false. */
  async admits(job: Job, metadata: VideoMetadata): Promise<boolean> {
    const { storage } = this.#to
    if (storage.user === undefined && storage.total === undefined) return true
    const needed = predictSelection(job, metadata)?.taken?.bytes ?? 0
    const { userId } = job
    const hasRoom =
      (await this.#hasRoom(storage.user, { userId }, needed, job)) &&
      (await this.#hasRoom(storage.total, 'all', needed, job))
    if (hasRoom) this.#expected.set(job.id, needed)
    return hasRoom
  }

  async #hasRoom(
    limit: number | undefined,
    scope: Parameters<DownloadStore['bytesOf']>[0],
    needed: number,
    job: Job,
  ): Promise<boolean> {
    if (limit === undefined) return true
    return (await this.#to.store.bytesOf(scope)) + this.#promised(scope, job) + needed <= limit
  }

  /** To others that are fetching; what is in place is counted already. */
  #promised(scope: Parameters<DownloadStore['bytesOf']>[0], job: Job): number {
    const fetching = new Map(
      this.#to.jobs.all().flatMap((each) => (each.state === 'scanning' ? [] : [[each.id, each]])),
    )
    let promised = 0
    for (const [id, bytes] of this.#expected) {
      const other = fetching.get(id)
      if (!other) this.#expected.delete(id)
      else if (id !== job.id && (scope === 'all' || other.userId === scope.userId)) promised += bytes
    }
    return promised
  }
}
