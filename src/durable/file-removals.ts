import type { FromDownloader } from '#contract/downloader-link.ts'
import type { LiveEvent } from '#contract/live.ts'

import { mostPlaces, type DownloadRecords } from '../platform/download-records.ts'
import { log } from '../platform/logger.ts'
import { folderOf } from '../plex/location.ts'
import type { Requester } from '../plex/scan.ts'
import type { RetentionStore } from '../youtube/history-ports.ts'
import type { Removal } from '../youtube/ports.ts'
import {
  answered,
  dropped,
  isByRetention,
  isForgotten,
  isLeaving,
  isStuck,
  mayStillGo,
  newRemoval,
  type PendingRemoval,
} from '../youtube/removal.ts'
import type { DownloaderSockets } from './downloader-sockets.ts'
import type { LibraryUpdates } from './library-updates.ts'
import { reasonOf } from './reason-of.ts'

type Storage = Pick<DurableObjectStorage['kv'], 'put' | 'delete' | 'list'>
type Said = Extract<FromDownloader, { type: 'removed' }>

type Dependencies = {
  readonly storage: Storage
  readonly downloaders: DownloaderSockets
  readonly records: DownloadRecords
  readonly retention: Pick<RetentionStore, 'clearances'>
  readonly library: LibraryUpdates
  readonly tell: (userId: string, event: LiveEvent) => void
  /** Whether the request was taken; it may be made again. */
  readonly requestScan: (path: string, requester: Requester) => Promise<boolean>
}

/**
 * Files on their way out of the library, one stored value each until all is done that follows. What retention has ordered
 * is looked at again before it is said: its downloader may have been away for days.
 */
export class FileRemovals {
  readonly #to: Dependencies
  #pending: Map<string, PendingRemoval> | undefined

  constructor(dependencies: Dependencies) {
    this.#to = dependencies
  }

  all(): readonly PendingRemoval[] {
    return [...this.#read().values()]
  }

  leaving(): readonly PendingRemoval[] {
    return this.all().filter(isLeaving)
  }

  stuck(): readonly PendingRemoval[] {
    return this.all().filter(isStuck)
  }

  /** What retention orders is said in the minute’s round. */
  order(removal: Removal): void {
    const pending = newRemoval(removal)
    this.#put(pending)
    if (!isByRetention(pending)) this.#send(pending)
  }

  /** Says again what was ordered: it may not have been heard, or the answer not have come. */
  async remind(downloaderId: string, now: number): Promise<void> {
    await this.#sayWhatIsNobodys(
      this.leaving().filter((removal) => removal.downloaderId === downloaderId),
      now,
    )
  }

  async round(now: number): Promise<void> {
    for (const removal of this.all()) {
      if (removal.plexFolder !== undefined) await this.#tellPlex(removal, removal.plexFolder)
      else if (isForgotten(removal, now)) this.#forget(removal)
    }
    await this.#sayWhatIsNobodys(this.leaving(), now)
    await this.#sayWhatMayStillGo(now)
  }

  /** Written to D1 first: should that fail, the downloader is asked again. */
  async heard(downloaderId: string, said: Said, now: number): Promise<void> {
    const removal = this.#read().get(said.jobId)
    if (!removal || removal.plexFolder !== undefined || removal.downloaderId !== downloaderId) return
    const news = answered(removal, said, folderOf, now)
    if (news.kind === 'gone') return this.#gone(news.removal, now)
    if (news.removal === removal) return
    log('warn', 'file-not-removed', {
      downloadId: removal.downloadId,
      outcome: said.outcome,
      final: news.kind === 'given-up',
    })
    this.#put(news.removal)
  }

  /** Says again what somebody has ordered; where another film has been put in its place since, that is to stay. */
  async #sayWhatIsNobodys(removals: readonly PendingRemoval[], now: number): Promise<void> {
    const due = this.#heard(removals.filter((removal) => !isByRetention(removal))).slice(0, mostPlaces)
    try {
      const taken = await this.#to.records.placesOf(due.map(({ plexPath }) => plexPath))
      for (const removal of due) {
        const isTaken = taken.some(
          ({ id, plexPath }) => plexPath === removal.plexPath && id !== removal.downloadId,
        )
        if (isTaken) this.#put(dropped(removal, now))
        else this.#send(removal)
      }
    } catch (error) {
      log('warn', 'removals-not-looked-at-again', { cause: reasonOf(error) })
    }
  }

  /** Of what retention has ordered, for downloaders that hear it; what is to stay is not asked for any more. */
  async #sayWhatMayStillGo(now: number): Promise<void> {
    const { retention } = this.#to
    const due = this.#heard(this.leaving().filter(isByRetention))
    try {
      const clearances = await retention.clearances(due.map(({ downloadId }) => downloadId))
      const known = new Map(clearances.map((clearance) => [clearance.downloadId, clearance]))
      for (const removal of due) {
        if (mayStillGo(removal, known.get(removal.downloadId))) this.#send(removal)
        else this.#put(dropped(removal, now))
      }
    } catch (error) {
      log('warn', 'retention-not-looked-at-again', { cause: reasonOf(error) })
    }
  }

  async #gone(removal: PendingRemoval & { readonly plexFolder: string }, now: number): Promise<void> {
    const { records, library, tell } = this.#to
    const { downloadId, userId, videoId } = removal
    const had = await records.removed(removal, now)
    const isRecordGone = !had.some(({ id }) => id === downloadId) && !(await records.row(downloadId))
    library.remove(videoId, downloadId)
    const told = isRecordGone ? [...had, { id: downloadId, userId }] : had
    for (const { id, userId } of told) {
      const record = isRecordGone && id === downloadId
      const reason = isByRetention(removal) && ({ reason: 'retention' } as const)
      const data = { downloadId: id, file: true, record, ...reason }
      tell(userId, { event: 'youtube:removed', data })
    }
    await this.#tellPlex(removal, removal.plexFolder)
  }

  async #tellPlex(removal: PendingRemoval, plexFolder: string): Promise<void> {
    const requester: Requester = { kind: 'user', userId: removal.userId }
    if (await this.#to.requestScan(plexFolder, requester)) return this.#forget(removal)
    if (this.#read().get(removal.downloadId)?.plexFolder === undefined) this.#put({ ...removal, plexFolder })
  }

  /** Those whose downloader is there to hear of it. */
  #heard(removals: readonly PendingRemoval[]): PendingRemoval[] {
    const { downloaders } = this.#to
    return removals.filter(({ downloaderId }) => downloaders.lastHeard(downloaderId) !== undefined)
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
