import type { Download, DownloadStatus } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import type { LiveEvent } from '#contract/live.ts'
import type { Quality } from '#contract/options.ts'

import type { DownloadPage, NewDownload, Queue, Removal, Scope } from './ports.ts'

export type HistoryFilter = {
  /** To be found in title, channel or video id. */
  readonly q?: string | undefined
  readonly status?: readonly DownloadStatus[] | undefined
  /** Both instants are part of what is asked for. */
  readonly from?: string | undefined
  readonly to?: string | undefined
  readonly offset: number
  readonly limit: number
}

/** Sums over downloads, as the database makes them; what has no rows is missing. */
export type StatisticsRows = {
  readonly statuses: readonly {
    readonly status: DownloadStatus
    readonly count: number
    readonly bytes: number
    readonly libraryBytes: number
  }[]
  /** Of completed downloads, without those that share a file: they took no time. */
  readonly medianSeconds: number | undefined
  /** Of completed downloads. */
  readonly qualities: readonly { readonly quality: Quality; readonly count: number; readonly bytes: number }[]
  readonly accepted: readonly { readonly day: string; readonly count: number }[]
  readonly ended: readonly {
    readonly day: string
    readonly status: DownloadStatus
    readonly count: number
    readonly bytes: number
  }[]
  readonly failures: readonly { readonly code: FailureCode; readonly count: number }[]
}

export type HistoryStore = {
  find(scope: Scope, id: string): Promise<Download | undefined>
  list(scope: Scope, filter: HistoryFilter): Promise<DownloadPage>
  /** What is told by day begins with `since`, a date. */
  statistics(scope: Scope, since: string): Promise<StatisticsRows>
}

/** A download with what its owner is not told: where its file lies, and who else has it. */
export type HeldDownload = {
  readonly ownerId: string
  readonly download: Download
  /** Takes its own file away; absent when there is none, or when the file is somebody else’s download’s. */
  readonly removal?: Removal
  readonly sharedFrom?: string
  /** Whether other downloads share its file. */
  readonly hasSharers: boolean
}

/** A download whose file was another’s until now. */
export type Heir = { readonly downloadId: string; readonly videoId: string }

export type ControlStore = {
  held(scope: Scope, id: string): Promise<HeldDownload | undefined>
  activeOf(userId: string, videoId: string): Promise<string | undefined>
  /** Of each user and video the last download, where that has failed with one of these codes. */
  lastFailed(scope: Scope, codes: readonly FailureCode[], limit: number): Promise<readonly Download[]>
  /** Back to the beginning, those that have failed or were cancelled and have no active twin. Answers them. */
  reopen(ids: readonly string[]): Promise<readonly NewDownload[]>
  protect(id: string, isProtected: boolean): Promise<void>
  /** The record goes, unless it is active; its file becomes that of the oldest download that shares it, if any. */
  forget(id: string): Promise<Heir | undefined>
  /** The record goes, and those that share its file are left pointing at it: the file goes too. */
  forgetWithFile(id: string): Promise<void>
  /** The record stays and has no file any more; who shares the file inherits it as with `forget`. */
  letGo(id: string, at: string): Promise<Heir | undefined>
}

/** A file in the library, whoever shares it. */
export type LibraryFile = {
  readonly downloadId: string
  readonly title?: string | undefined
  readonly bytes: number
  /** When somebody last got it, in ms. */
  readonly since: number
  /** By any of those who have it. */
  readonly isProtected: boolean
  /** Its download is not over, so it cannot go; it takes its space all the same. */
  readonly isActive: boolean
}

/** Takes a file away for which nobody has asked since `idleSince`. */
export type Clearance = Removal & { readonly idleSince: number }

export type RetentionStore = {
  files(): Promise<readonly LibraryFile[]>
  /** Of these downloads, those whose file may go: it is there, the download is over, and nobody protects it. */
  clearances(ids: readonly string[]): Promise<readonly Clearance[]>
}

export type Audit = (entry: {
  readonly actor: string
  readonly action: string
  readonly target: string
}) => Promise<void>

export type ControlDependencies = {
  readonly store: ControlStore
  readonly queue: Queue
  readonly audit: Audit
  readonly tell: (userId: string, event: LiveEvent) => Promise<void>
  /** Has it known that a file belongs to another download now; nothing depends on it. */
  readonly passOn: (from: string, heir: Heir) => Promise<void>
  /** Throws when there is no room left for more of this user’s files. */
  readonly requireSpace: (userId: string) => Promise<void>
  /** Whether anything counts the bytes of files: then only an admin may take a file out of the books and leave it there. */
  readonly isSpaceManaged: boolean
  readonly now: () => number
}
