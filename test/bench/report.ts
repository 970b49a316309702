import type { LoadResult } from './load.ts'

type Judged = Pick<LoadResult, 'wrong' | 'failures'>

/** What was measured is worth nothing when it was not the answers that were meant. */
export function judge(results: readonly Judged[]): void {
  if (results.some(({ wrong, failures }) => wrong + failures > 0)) process.exitCode = 1
}

export function title(text: string): void {
  console.log(`\n${text}\n`)
}
