import type { LiveEvent } from '#contract/live.ts'
import { DownloadExtras, isAudio } from '#contract/options.ts'

import type { DownloadRecords } from '../platform/download-records.ts'
import type { DownloadRow } from '../platform/download-row.ts'
import { removalOf } from '../platform/shared-files.ts'
import { twinsOf } from '../youtube/assign.ts'
import type { Job } from '../youtube/job.ts'
import type { FileRemovals } from './file-removals.ts'
import type { JobTable } from './job-table.ts'
import type { LibraryUpdates } from './library-updates.ts'

type Dependencies = {
  readonly jobs: JobTable
  readonly records: DownloadRecords
  readonly library: LibraryUpdates
  readonly removals: FileRemovals
  readonly tell: (userId: string, event: LiveEvent) => void
  readonly itemUrl: (ratingKey: string) => string
  readonly forget: (id: string) => void
}

/** What comes of a placed file once its scan has ended: its download is completed, and all that waited for the same. */
export class Completions {
  readonly #to: Dependencies

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
  }

  /** How the scan ended. May come again, or when nobody waits for it any more. */
  async scanned(id: string, ratingKey: string | undefined, now: number): Promise<void> {
    const { jobs, records } = this.#to
    const job = jobs.get(id)
    const completed = await records.completed(id, ratingKey, now)
    const shown = completed || ratingKey === undefined ? [] : await records.shown(id, ratingKey)
    const shared = job?.state === 'scanning' ? await this.#settle(job, completed, now) : []
    for (const row of [...(completed ? [completed] : []), ...shared]) this.#tellCompleted(row)
    for (const row of shown) this.#tellAvailable(row)
  }

  /** The file of a download that was cancelled goes, unless others have it too. */
  async giveUpFile(row: DownloadRow, now: number): Promise<void> {
    const removal = removalOf(row)
    if (removal && !(await this.#to.records.handedOver(row.id, now))) this.#to.removals.order(removal)
  }

  /** Lets go of the job. Answers the downloads that share its file from now on. */
  async #settle(job: Job, completed: DownloadRow | undefined, now: number): Promise<DownloadRow[]> {
    const row = completed ?? (await this.#to.records.row(job.id))
    const shared = row?.status === 'completed' ? await this.#share(job, row, now) : []
    // It was cancelled, and the object ended before it could see to the file.
    if (row?.status === 'cancelled') await this.giveUpFile(row, now)
    this.#to.forget(job.id)
    return shared
  }

  async #share(job: Job, row: DownloadRow, now: number): Promise<DownloadRow[]> {
    const shared: DownloadRow[] = []
    for (const { id } of twinsOf(job, this.#to.jobs.all())) {
      const twin = await this.#to.records.shared(id, row, now)
      if (twin) shared.push(twin)
      this.#to.forget(id)
    }
    return shared
  }

  #tellCompleted(row: DownloadRow): void {
    const { id, userId, file, warnings } = row
    if (file) {
      const data = { downloadId: id, file, ...(warnings && { warnings }) }
      this.#to.tell(userId, { event: 'youtube:completed', data })
    }
    this.#tellAvailable(row)
  }

  #tellAvailable(row: DownloadRow): void {
    const { id, userId, ratingKey, format } = row
    if (ratingKey !== null || isAudio(format)) this.#noteInLibrary(row)
    if (ratingKey === null) return
    const data = { downloadId: id, ratingKey, url: this.#to.itemUrl(ratingKey) }
    this.#to.tell(userId, { event: 'youtube:available', data })
  }

  #noteInLibrary({ id, videoId, quality, format, extras, sharedFrom }: DownloadRow): void {
    if (sharedFrom !== null) return
    const options = { quality, format, extras: extras ?? DownloadExtras.parse({}) }
    this.#to.library.add(videoId, { downloadId: id, options })
  }
}
