import type { FromDownloader } from '#contract/downloader-link.ts'
import type { LiveEvent } from '#contract/live.ts'

import type { DownloadRecords } from '../platform/download-records.ts'
import { log } from '../platform/logger.ts'
import { folderOf } from '../plex/location.ts'
import type { Requester } from '../plex/scan.ts'
import type { Removal } from '../youtube/ports.ts'
import { answered, isOnDisk, newRemoval, type PendingRemoval } from '../youtube/removal.ts'
import type { DownloaderSockets } from './downloader-sockets.ts'
import type { LibraryUpdates } from './library-updates.ts'

type Storage = Pick<DurableObjectStorage['kv'], 'put' | 'delete' | 'list'>
type Said = Extract<FromDownloader, { type: 'removed' }>

type Dependencies = {
  readonly storage: Storage
  readonly downloaders: DownloaderSockets
  readonly records: DownloadRecords
  readonly library: LibraryUpdates
  readonly tell: (userId: string, event: LiveEvent) => void
  /** Whether the request was taken; it may be made again. */
  readonly requestScan: (path: string, requester: Requester) => Promise<boolean>
}

/** Files on their way out of the library, one stored value each until all is done that follows. */
export class FileRemovals {
  readonly #to: Dependencies
  #pending: Map<string, PendingRemoval> | undefined

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
  }

  all(): readonly PendingRemoval[] {
    return [...this.#read().values()]
  }

  /** Those whose file is still there, for all that is known. */
  onDisk(): readonly PendingRemoval[] {
    return this.all().filter(isOnDisk)
  }

  order(removal: Removal): void {
    const pending = newRemoval(removal)
    this.#put(pending)
    this.#send(pending)
  }

  /** Says again what was ordered: it may not have been heard, or the answer not have come. */
  remind(downloaderId: string): void {
    for (const removal of this.onDisk()) if (removal.downloaderId === downloaderId) this.#send(removal)
  }

  async round(): Promise<void> {
    for (const removal of this.all()) {
      if (removal.plexFolder === undefined) this.#send(removal)
      else await this.#tellPlex(removal, removal.plexFolder)
    }
  }

  /** Written to D1 first: should that fail, the downloader is asked again. */
  async heard(downloaderId: string, said: Said, now: number): Promise<void> {
    const removal = this.#read().get(said.jobId)
    if (!removal || !isOnDisk(removal) || removal.downloaderId !== downloaderId) return
    const news = answered(removal, said, folderOf)
    if (news.kind === 'gone') return this.#gone(news.removal, now)
    log('warn', 'file-not-removed', {
      downloadId: removal.downloadId,
      outcome: said.outcome,
      final: news.kind === 'given-up',
    })
    if (news.kind === 'kept') this.#put(news.removal)
    else this.#forget(removal)
  }

  async #gone(removal: PendingRemoval & { readonly plexFolder: string }, now: number): Promise<void> {
    const { records, library, tell } = this.#to
    const { downloadId, userId, videoId } = removal
    const had = await records.removed(removal, now)
    const isRecordGone = !had.some(({ id }) => id === downloadId) && !(await records.row(downloadId))
    library.remove(videoId, downloadId)
    const told = isRecordGone ? [...had, { id: downloadId, userId }] : had
    for (const { id, userId } of told) {
      const data = { downloadId: id, file: true, record: isRecordGone && id === downloadId }
      tell(userId, { event: 'youtube:removed', data })
    }
    await this.#tellPlex(removal, removal.plexFolder)
  }

  async #tellPlex(removal: PendingRemoval, plexFolder: string): Promise<void> {
    const requester: Requester = { kind: 'user', userId: removal.userId }
    if (await this.#to.requestScan(plexFolder, requester)) return this.#forget(removal)
    if (this.#read().get(removal.downloadId)?.plexFolder === undefined) this.#put({ ...removal, plexFolder })
  }

  #send({ downloaderId, downloadId, plexPath, file }: PendingRemoval): void {
    this.#to.downloaders.send(downloaderId, { type: 'remove', jobId: downloadId, plexPath, file })
  }

  #put(removal: PendingRemoval): void {
    this.#read().set(removal.downloadId, removal)
    this.#to.storage.put(`removal:${removal.downloadId}`, removal)
  }

  #forget({ downloadId }: PendingRemoval): void {
    this.#read().delete(downloadId)
    this.#to.storage.delete(`removal:${downloadId}`)
  }

  #read(): Map<string, PendingRemoval> {
    const stored = () => [...this.#to.storage.list<PendingRemoval>({ prefix: 'removal:' })]
    this.#pending ??= new Map(stored().map(([, removal]) => [removal.downloadId, removal]))
    return this.#pending
  }
}
