import { load, type LoadResult, type LoadOptions } from './load.ts'
import { median, percentile } from './statistics.ts'

export type Contestant = LoadOptions & {
  readonly name: string
  /** Waits until what it has set going is over, so that the next one does not pay for it. */
  readonly settled?: () => Promise<void>
}

export type Figures = {
  readonly name: string
  readonly perSecond: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  /** For each yardstick, the median over the rounds of this one's p50 by that one's in the same round. */
  readonly ratios: readonly number[]
  readonly statuses: ReadonlyMap<number, number>
  readonly wrong: number
  readonly failures: number
}

/**
 * Lets contestants run in turns, A B A B, so that what slows the machine slows them all alike, and compares within each round.
 * The first ones, as many as `yardsticks`, are what all are measured by. A round of a tenth of the size goes ahead and does not count.
 */
export async function compare(
  contestants: readonly Contestant[],
  { rounds = 5, yardsticks = 1 } = {},
): Promise<Figures[]> {
  for (const contestant of contestants) {
    await load({ ...contestant, count: Math.max(contestant.concurrency, Math.ceil(contestant.count / 10)) })
    await contestant.settled?.()
  }
  const results = contestants.map((contestant): { contestant: Contestant; runs: LoadResult[] } => ({
    contestant,
    runs: [],
  }))
  for (let round = 0; round < rounds; round += 1) {
    for (const { contestant, runs } of results) {
      runs.push(await load(contestant))
      await contestant.settled?.()
    }
  }
  const measures = results.slice(0, yardsticks).map(({ runs }) => runs)
  return results.map(({ contestant, runs }) => figuresOf(contestant.name, runs, measures))
}

function figuresOf(
  name: string,
  runs: readonly LoadResult[],
  yardsticks: readonly (readonly LoadResult[])[],
): Figures {
  const p50 = ({ latencies }: LoadResult): number => percentile(latencies, 0.5)
  const all = runs.flatMap(({ latencies }) => latencies).toSorted((a, b) => a - b)
  const seconds = runs.reduce((sum, run) => sum + run.seconds, 0)
  const statuses = new Map<number, number>()
  for (const run of runs) {
    for (const [status, count] of run.statuses) statuses.set(status, (statuses.get(status) ?? 0) + count)
  }
  return {
    name,
    perSecond: all.length / seconds,
    p50: percentile(all, 0.5),
    p95: percentile(all, 0.95),
    p99: percentile(all, 0.99),
    ratios: yardsticks.map((yardstick) =>
      median(
        runs.flatMap((run, round) => {
          const other = yardstick[round]
          return other ? [p50(run) / p50(other)] : []
        }),
      ),
    ),
    statuses,
    wrong: runs.reduce((sum, run) => sum + run.wrong, 0),
    failures: runs.reduce((sum, run) => sum + run.failures, 0),
  }
}
