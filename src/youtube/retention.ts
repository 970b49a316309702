import type { LibraryFile } from './history-ports.ts'

/** What is not set does not limit. */
export type RetentionPolicy = {
  readonly maxAgeMs?: number | undefined
  readonly maxBytes?: number | undefined
}

/** A file that is not on its way out. `isStuck`: its downloader would not take it away. */
export type StayingFile = LibraryFile & { readonly isStuck: boolean }

type Leaving = StayingFile & { readonly reason: 'age' | 'space' }

export type RetentionPlan = {
  /** Oldest first. */
  readonly leaving: readonly Leaving[]
  readonly freedBytes: number
  readonly keptBytes: number
}

/**
 * Which files go: those that are too old, then the oldest until what is left has room. What is protected, not over or
 * stuck stays, though it takes room too.
 */
export function planRetention(
  files: readonly StayingFile[],
  { maxAgeMs = Number.POSITIVE_INFINITY, maxBytes = Number.POSITIVE_INFINITY }: RetentionPolicy,
  now: number,
): RetentionPlan {
  let keptBytes = bytesOf(files)
  const leaving: Leaving[] = []
  for (const file of files.filter(mayGo).toSorted(oldestFirst)) {
    const isOld = now - file.since > maxAgeMs
    if (!isOld && keptBytes <= maxBytes) break
    leaving.push({ ...file, reason: isOld ? 'age' : 'space' })
    keptBytes -= file.bytes
  }
  return { leaving, freedBytes: bytesOf(leaving), keptBytes }
}

const mayGo = ({ isProtected, isActive, isStuck }: StayingFile): boolean =>
  !isProtected && !isActive && !isStuck

const oldestFirst = (a: LibraryFile, b: LibraryFile): number =>
  a.since - b.since || a.downloadId.localeCompare(b.downloadId)

const bytesOf = (files: readonly LibraryFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0)
