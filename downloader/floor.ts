import type { Job } from '#contract/downloader-link.ts'
import type { Progress } from '#contract/downloads.ts'
import type { Outbox } from './outbox.ts'

/** Noted ahead in steps of this many percent, so that a job makes a handful of notes. */
const step = 5

/**
 * Keeps progress from going back within an attempt, though this process be killed and begin the attempt anew: how far
 * was told is noted before it is told, and nothing less is told afterwards.
 */
export function createFloor(
  job: Pick<Job, 'jobId' | 'attempt'>,
  outbox: Pick<Outbox, 'told' | 'noteTold'>,
): (progress: Progress) => Progress {
  const floor = outbox.told(job)
  let noted = floor
  return (progress) => {
    const percent = Math.max(floor, progress.percent)
    if (percent > noted) {
      noted = Math.min(100, Math.ceil(percent / step) * step)
      outbox.noteTold(job, noted)
    }
    return { ...progress, percent }
  }
}
