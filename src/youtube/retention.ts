import type { LibraryFile } from './history-ports.ts'

/** What is not set does not limit. */
export type RetentionPolicy = {
  readonly maxAgeMs?: number | undefined
  readonly maxBytes?: number | undefined
}

type Leaving = LibraryFile & { readonly reason: 'age' | 'space' }

export type RetentionPlan = {
  /** Oldest first. */
  readonly leaving: readonly Leaving[]
  readonly freedBytes: number
  readonly keptBytes: number
}

/**
 * Which files go: those that are too old, then the oldest until what is left has room. What is protected or not over
 * stays, though it takes room too.
 */
export function planRetention(
  files: readonly LibraryFile[],
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

const mayGo = ({ isProtected, isActive }: LibraryFile): boolean => !isProtected && !isActive

const oldestFirst = (a: LibraryFile, b: LibraryFile): number =>
  a.since - b.since || a.downloadId.localeCompare(b.downloadId)

const bytesOf = (files: readonly LibraryFile[]): number => files.reduce((sum, { bytes }) => sum + bytes, 0)
