import type { Audit, LibraryFile, RetentionStore } from './history-ports.ts'
import type { Queue } from './ports.ts'
import { planRetention, type RetentionPolicy } from './retention.ts'

/** No more files than this are ordered out at once; the next round goes on. */
export const filesPerRound = 50

const hourMs = 3_600_000
const minuteMs = 60_000
/** Of each hour, away from the full one when everybody’s jobs begin. */
const dueMinute = 23

type Dependencies = {
  readonly store: RetentionStore
  readonly queue: Pick<Queue, 'remove' | 'removals'>
  readonly audit: Audit
  /** What the operator has set. */
  readonly policy: RetentionPolicy
  readonly now: () => number
}

type Request = RetentionPolicy & { readonly dryRun: boolean; readonly actor: string }

export type Retention = ReturnType<typeof createRetention>

/** Takes files out of the library that have been there too long, or for which there is no room. */
export function createRetention({ store, queue, audit, policy, now }: Dependencies) {
  /** Those that may still be taken away: what somebody has protected or got meanwhile may not. */
  const orderOut = async <T extends LibraryFile>(files: readonly T[]): Promise<T[]> => {
    const clearances = await store.clearances(idsOf(files))
    const known = new Map(clearances.map((clearance) => [clearance.downloadId, clearance]))
    const ordered = []
    for (const file of files) {
      const clearance = known.get(file.downloadId)
      if (!clearance || clearance.idleSince > file.since) continue
      await queue.remove(clearance)
      ordered.push(file)
    }
    return ordered
  }

  const run = async ({ dryRun, actor, ...asked }: Request) => {
    const [files, removals] = await Promise.all([store.files(), queue.removals()])
    const [leavingIds, stuckIds] = [new Set(removals.leaving), new Set(removals.stuck)]
    // What is on its way out counts as gone, however long its downloader is away: it is not ordered out each time anew.
    const staying = files
      .filter(({ downloadId }) => !leavingIds.has(downloadId))
      .map((file) => ({ ...file, isStuck: stuckIds.has(file.downloadId) }))
    const plan = planRetention(staying, asked, now())
    const round = plan.leaving.slice(0, filesPerRound)
    const leaving = dryRun ? round : await orderOut(round)
    const freedBytes = leaving.reduce((sum, { bytes }) => sum + bytes, 0)
    if (!dryRun && leaving.length > 0) {
      await audit({
        actor,
        action: 'youtube.retention',
        target: `${leaving.length} files, ${freedBytes} bytes: ${idsOf(leaving).join(' ')}`,
      })
    }
    return {
      dryRun,
      removed: leaving.map(({ downloadId, title, bytes, reason }) => ({
        downloadId,
        ...(title !== undefined && { title }),
        bytes,
        reason,
      })),
      freedBytes,
      keptBytes: plan.keptBytes + plan.freedBytes - freedBytes,
      later: plan.leaving.length - leaving.length,
      stuck: staying.filter(({ isStuck }) => isStuck).length,
    }
  }

  return {
    /** What is not said is as the operator has set it. */
    run: (asked: Request) =>
      run({
        dryRun: asked.dryRun,
        actor: asked.actor,
        maxAgeMs: asked.maxAgeMs ?? policy.maxAgeMs,
        maxBytes: asked.maxBytes ?? policy.maxBytes,
      }),

    /** The hour’s round, in whichever minute it is due; answers how many files it has ordered out. */
    async round(at: number): Promise<number> {
      if (policy.maxAgeMs === undefined && policy.maxBytes === undefined) return 0
      if (Math.floor((at % hourMs) / minuteMs) !== dueMinute) return 0
      return (await run({ ...policy, dryRun: false, actor: 'retention' })).removed.length
    },
  }
}

const idsOf = (files: readonly LibraryFile[]): string[] => files.map(({ downloadId }) => downloadId)
