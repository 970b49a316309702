import type { Job } from './job.ts'

/**
 * Start-time fair queueing (Goyal, Vin, Cheng 1996), each job of the same cost: a job’s turn is one after the last of the
 * same user, and not before those that are being served. So nobody who comes later waits behind somebody’s whole backlog.
 */
export class Fairness {
  // Forgotten with the object: what is then known of the jobs that are not over serves nearly as well.
  readonly #lastTurns = new Map<string, number>()

  /** Gives a job that joins these its turn. It is stored with the job. */
  inTurn(job: Job, jobs: readonly Job[]): Job {
    const { userId } = job
    // Nobody has to make up for what was served when nobody else was there.
    if (jobs.length === 0) this.#lastTurns.clear()
    const own = [
      ...jobs.filter((other) => other.userId === userId).map(turnOf),
      ...[this.#lastTurns.get(userId)].filter((turn) => turn !== undefined),
    ]
    const turn = Math.max(turnNow(jobs), ...own.map((last) => last + 1))
    this.#lastTurns.set(userId, turn)
    return { ...job, turn }
  }
}

/** Jobs of an earlier release have none. */
export const turnOf = ({ turn = 0 }: Job): number => turn

function turnNow(jobs: readonly Job[]): number {
  const begun = jobs.filter(({ state }) => state !== 'waiting').map(turnOf)
  if (begun.length > 0) return Math.max(...begun)
  return jobs.length > 0 ? Math.min(...jobs.map(turnOf)) : 0
}
