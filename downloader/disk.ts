import { constants } from 'node:fs'
import { access, mkdtemp, open, readdir, rmdir, stat, statfs } from 'node:fs/promises'
import { join } from 'node:path'

export async function freeBytes(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory)
  return bavail * bsize
}

/** What the files under a directory weigh; what vanishes meanwhile weighs nothing. */
export async function sizeOf(directory: string): Promise<number> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => [])
  const sizes = await Promise.all(
    entries
      .filter((entry) => entry.isFile())
      .map(
        async (entry) => (await stat(join(entry.parentPath, entry.name)).catch(() => undefined))?.size ?? 0,
      ),
  )
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** A dead network share neither answers nor fails, so it is given a time. */
export async function isWritable(directory: string, timeoutMs = 10_000): Promise<boolean> {
  const attempt = async (): Promise<boolean> => {
    await access(directory, constants.W_OK | constants.X_OK)
    // Of its own, since others may look at the same time.
    await rmdir(await mkdtemp(join(directory, '.medianest-probe-')))
    return true
  }
  return within(
    attempt().catch(() => false),
    timeoutMs,
    false,
  )
}

async function within<T>(promise: Promise<T>, timeoutMs: number, otherwise: T): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<T>((resolve) => {
    timer = setTimeout(() => resolve(otherwise), timeoutMs)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** Makes a file or folder survive a power cut. */
export async function sync(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

export type SpaceDecision = 'admitted' | 'no-space' | 'too-large'

export type SpaceLedger = {
  /** Sets aside what a job will need, or says why not. Merging needs both the parts and the whole. */
  readonly admit: (jobId: string, expectedBytes: number, free: number, heldBytes?: number) => SpaceDecision
  /** Notes how much a job has on disk by now: that is of what it was promised. */
  readonly holds: (jobId: string, bytes: number) => void
  readonly release: (jobId: string) => void
  /** What is promised to all jobs together, and not on disk yet. */
  readonly promisedBytes: () => number
  /** Says how much must be free before this job is worth another try, and keeps it in mind. */
  readonly refuse: (jobId: string, seenBytes: number) => number
  /** Whether a job that was refused has room now and had not before. */
  readonly makesRoom: (freeBefore: number, free: number) => boolean
}

const sum = (numbers: Iterable<number>): number => [...numbers].reduce((total, bytes) => total + bytes, 0)

/** Jobs of the same moment must not each be promised the same free space. */
export function createSpaceLedger(reserveBytes: number, maxBytes: number): SpaceLedger {
  const promised = new Map<string, { readonly bytes: number; readonly held: number }>()
  const expected = new Map<string, number>()
  const refused = new Map<string, number>()
  const promisedBut = (jobId?: string): number =>
    sum([...promised].map(([id, { bytes, held }]) => (id === jobId ? 0 : Math.max(0, bytes - held))))
  return {
    admit: (jobId, expectedBytes, free, heldBytes = 0) => {
      if (expectedBytes > maxBytes) return 'too-large'
      expected.set(jobId, expectedBytes)
      const bytes = expectedBytes * 2
      if (free + heldBytes - promisedBut(jobId) < bytes + reserveBytes) return 'no-space'
      promised.set(jobId, { bytes, held: heldBytes })
      return 'admitted'
    },
    holds: (jobId, held) => {
      const promise = promised.get(jobId)
      if (promise) promised.set(jobId, { ...promise, held })
    },
    release: (jobId) => {
      promised.delete(jobId)
      expected.delete(jobId)
    },
    promisedBytes: () => promisedBut(),
    refuse: (jobId, seenBytes) => {
      const mostBytes = Math.max(expected.get(jobId) ?? 0, seenBytes)
      const bytes = Math.max(1, Math.ceil(mostBytes * 2 + reserveBytes))
      refused.set(jobId, bytes)
      return bytes
    },
    makesRoom: (freeBefore, free) => {
      const roomy = [...refused].filter(([, bytes]) => bytes > freeBefore && bytes <= free)
      for (const [jobId] of roomy) refused.delete(jobId)
      return roomy.length > 0
    },
  }
}
