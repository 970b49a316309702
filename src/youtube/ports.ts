import type { DownloaderState, DownloaderVersions, RestingSite } from '#contract/downloader-link.ts'
import type { Download, PlacedFile, Playlist, VideoMetadata } from '#contract/downloads.ts'
import type { Failure } from '#contract/failures.ts'
import type { LiveEvent } from '#contract/live.ts'
import type { DownloadOptions } from '#contract/options.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import type { AnswerCache } from '../http/cached-response.ts'
import type { Log } from '../http/env.ts'

export type NewDownload = Pick<
  Download,
  'id' | 'url' | 'videoId' | 'quality' | 'format' | 'extras' | 'playlistId' | 'collection' | 'createdAt'
> & { readonly userId: string }

export type Share = { readonly download: NewDownload; readonly from: Download }

export type DownloadPage = { readonly downloads: readonly Download[]; readonly total: number }

/** Whose downloads: one person’s, or everybody’s for an admin. */
export type Scope = { readonly userId: string } | 'all'

/** Downloads in D1: the truth for history. */
export type DownloadStore = {
  /**
   * `stored`; `known` when a download of this id is there already, as when the same request comes twice; the id of the
   * active one when this user already has one for this video.
   */
  insert(download: NewDownload): Promise<'stored' | 'known' | { readonly active: string }>
  /**
   * Downloads that are completed from the start, since somebody else’s file is what was asked for. Answers those that
   * were not there already.
   */
  insertShared(shares: readonly Share[]): Promise<readonly Download[]>
  /** Takes back what was stored a moment ago and has not begun. */
  withdraw(id: string): Promise<void>
  /** The ids of this user’s active downloads, by video. */
  activeOf(userId: string, videoIds: readonly string[]): Promise<ReadonlyMap<string, string>>
  find(scope: Scope, id: string): Promise<Download | undefined>
  /** Those of this user whose id begins so. */
  findByStem(userId: string, stem: string): Promise<readonly Download[]>
  /** Of these, and of what this user has that shares their files: what is in the library and shown by Plex. */
  placed(userId: string, ids: readonly string[]): Promise<readonly Download[]>
  /** What the files take that are there. */
  bytesOf(scope: Scope): Promise<number>
}

/** Which downloads have put a file of a video into the library, and in what form. Eventually so: never proof. */
export type LibraryIndex = {
  of(videoId: string): Promise<readonly LibraryEntry[]>
}
export type LibraryEntry = { readonly downloadId: string; readonly options: DownloadOptions }

type NoAnswer =
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'busy'; readonly waitMs: number }
  | { readonly kind: 'timeout' }

export type MetadataAnswer = { readonly kind: 'metadata'; readonly metadata: VideoMetadata } | NoAnswer
export type PlaylistAnswer = { readonly kind: 'playlist'; readonly playlist: Playlist } | NoAnswer

export type ConnectedDownloader = {
  readonly id: string
  readonly slots: number
  readonly busy: number
  readonly freeBytes: number
  readonly troubles: DownloaderState['troubles']
  readonly sites: readonly RestingSite[]
  readonly versions: DownloaderVersions
}

/** What is live about a download: how far it is, and what it waits for. */
export type LiveState = Pick<
  Download,
  | 'progress'
  | 'phase'
  | 'downloadedBytes'
  | 'totalBytes'
  | 'bytesPerSecond'
  | 'etaSeconds'
  | 'stalledSeconds'
  | 'waitingFor'
  | 'waitingUntil'
>

/** A file to be taken out of the library, by the downloader that has put it there. */
export type Removal = {
  readonly downloadId: string
  readonly userId: string
  readonly videoId: string
  readonly downloaderId: string
  readonly plexPath: string
  readonly file: PlacedFile
  /** When retention has ordered it: if somebody protects the file, or has got it after this, in ms, it stays. */
  readonly idleSince?: number
}

/** The downloads whose file is on its way out, and those whose downloader would not take it away. */
export type Removals = { readonly leaving: readonly string[]; readonly stuck: readonly string[] }

export type QueueOverview = {
  readonly paused: boolean
  readonly waiting: number
  readonly running: number
  readonly scanning: number
  /** Removals that their downloader has not confirmed yet. */
  readonly removals: number
}

export type Queue = {
  /** What cannot be handed over now is taken in within a minute or two: it is stored already. */
  enqueue(download: NewDownload, how?: { readonly attempt: number }): Promise<void>
  /** False when there is nothing left to stop. */
  cancel(userId: string, id: string): Promise<boolean>
  /** Nothing for those the queue does not know, and when it cannot be asked. */
  liveStates(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>>
  metadata(url: string): Promise<MetadataAnswer>
  playlist(url: string, limit: number): Promise<PlaylistAnswer>
  downloaders(): Promise<readonly ConnectedDownloader[]>
  queued(): Promise<number>
  overview(): Promise<QueueOverview>
  /** Nothing new begins while it is paused; what runs goes on. */
  pause(paused: boolean): Promise<void>
  /** Kept until the downloader has confirmed it, however long that takes; then Plex is told. */
  remove(removal: Removal): Promise<void>
  removals(): Promise<Removals>
}

/** The user's allowance of downloads, stored before the answer. */
export type Quota = {
  /** Charges a download once, however often it is said. */
  take(userId: string, downloadId: string): Promise<WindowDecision>
  peek(userId: string): Promise<WindowDecision>
}

/** An item as Plex shows it to somebody. */
export type SeenItem = {
  readonly ratingKey: string
  readonly libraryKey?: string | undefined
  readonly type: string
}

/** Plex, as one user. Throws problems only. */
export type PlexShelf = {
  /** Those of the items that Plex shows this user at this moment, with their own token. */
  seen(userId: string, ratingKeys: readonly string[]): Promise<readonly SeenItem[]>
  /** Puts items of one type into the collection of that title, which is made if there is none. */
  collect(
    userId: string,
    place: { readonly libraryKey: string; readonly title: string },
    ratingKeys: readonly string[],
  ): Promise<void>
}

/** A download whose item has yet to join a collection. */
export type ToCollect = {
  readonly id: string
  readonly userId: string
  readonly title: string
  readonly ratingKey: string
}

export type CollectingStore = {
  /** At random, so that those which Plex will not have are in nobody’s way. */
  waiting(since: string, limit: number): Promise<readonly ToCollect[]>
  collected(ids: readonly string[], at: string): Promise<void>
}

export type YoutubeDependencies = {
  readonly store: DownloadStore
  readonly queue: Queue
  readonly library: LibraryIndex
  readonly quota: Quota
  readonly cache: AnswerCache
  readonly plex: Pick<PlexShelf, 'seen'>
  readonly tell: (userId: string, event: LiveEvent) => Promise<void>
  readonly allowedHosts: readonly string[]
  readonly limit: { readonly limit: number; readonly windowMs: number }
  /** In bytes; what is absent is not limited. */
  readonly storage: { readonly user?: number | undefined; readonly total?: number | undefined }
  readonly metadataTtlMs: number
  readonly log: Log
  readonly now: () => number
  readonly newId: () => string
  readonly wait: (ms: number) => Promise<unknown>
}
