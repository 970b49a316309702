import type { DownloaderState } from '#contract/downloader-link.ts'
import type { Download, DownloadStatus, Failure, VideoMetadata } from '#contract/downloads.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import type { AnswerCache } from '../http/cached-response.ts'

export type NewDownload = Pick<Download, 'id' | 'url' | 'videoId' | 'quality' | 'format' | 'createdAt'> & {
  readonly userId: string
}

export type DownloadPage = { readonly downloads: readonly Download[]; readonly total: number }

/** Downloads in D1: the truth for history. */
export type DownloadStore = {
  /** `undefined` when stored; the id of the active one when this user already has one for this video. */
  insert(download: NewDownload): Promise<string | undefined>
  /** Takes back what was stored a moment ago and has not begun. */
  withdraw(id: string): Promise<void>
  activeOf(userId: string, videoId: string): Promise<string | undefined>
  find(userId: string, id: string): Promise<Download | undefined>
  list(
    userId: string,
    filter: { readonly status?: DownloadStatus; readonly offset: number; readonly limit: number },
  ): Promise<DownloadPage>
}

export type MetadataAnswer =
  | { readonly kind: 'metadata'; readonly metadata: VideoMetadata }
  | { readonly kind: 'failed'; readonly failure: Failure }
  | { readonly kind: 'unavailable' }
  | { readonly kind: 'timeout' }

export type ConnectedDownloader = {
  readonly id: string
  readonly slots: number
  readonly busy: number
  readonly freeBytes: number
  readonly troubles: DownloaderState['troubles']
  readonly versions: {
    readonly downloader: string
    readonly node: string
    readonly ytDlp?: string | undefined
    readonly ffmpeg?: string | undefined
  }
}

/** What is live about a download: how far it is, and what it waits for. */
export type LiveState = Pick<
  Download,
  'progress' | 'phase' | 'downloadedBytes' | 'totalBytes' | 'bytesPerSecond' | 'etaSeconds' | 'waitingFor'
>

export type Queue = {
  /** What cannot be handed over now is taken in within a minute or two: it is stored already. */
  enqueue(download: NewDownload): Promise<void>
  /** False when there is nothing left to stop. */
  cancel(userId: string, id: string): Promise<boolean>
  /** Nothing for those the queue does not know, and when it cannot be asked. */
  liveStates(ids: readonly string[]): Promise<Readonly<Record<string, LiveState>>>
  metadata(url: string): Promise<MetadataAnswer>
  downloaders(): Promise<readonly ConnectedDownloader[]>
  queued(): Promise<number>
}

/** The user's allowance of downloads, stored before the answer. */
export type Quota = {
  take(userId: string): Promise<WindowDecision>
  peek(userId: string): Promise<WindowDecision>
}

export type YoutubeDependencies = {
  readonly store: DownloadStore
  readonly queue: Queue
  readonly quota: Quota
  readonly cache: AnswerCache
  readonly allowedHosts: readonly string[]
  readonly limit: { readonly limit: number; readonly windowMs: number }
  readonly metadataTtlMs: number
  readonly now: () => number
  readonly newId: () => string
}
