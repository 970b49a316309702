import type { ScanOutcome } from '#contract/live.ts'

import { folded, holds } from './location.ts'
import type { QueuedScan, Requester, ScanTrouble } from './scan.ts'

export type ShownFile = { readonly file: string; readonly ratingKey: string }

/** What was seen at the end of a scan. */
export type Verdict = {
  readonly outcome: ScanOutcome
  /** Rating keys of the awaited files that Plex shows. */
  readonly found: ReadonlyMap<string, string>
  readonly awaited: number
  /** Nothing is left to wait for. */
  readonly isComplete: boolean
}

export const fileOf = (requester: Requester): string | undefined =>
  requester.kind === 'delivery' ? undefined : requester.file

/** Judges by the files that Plex shows; of a folder that nobody awaits a file in, any file in it counts. */
export function judge(
  { path }: Pick<QueuedScan, 'path'>,
  requesters: readonly Requester[],
  shown: readonly ShownFile[],
  trouble?: ScanTrouble,
): Verdict {
  const files = new Set(requesters.flatMap((requester) => fileOf(requester) ?? []))
  const keys = new Map(shown.map(({ file, ratingKey }) => [folded(file), ratingKey]))
  const found = new Map(
    [...files].flatMap((file) => {
      const ratingKey = keys.get(folded(file))
      return ratingKey === undefined ? [] : [[file, ratingKey] as const]
    }),
  )
  const isAwaited = files.size > 0 || path !== undefined
  const isSeen =
    files.size > 0
      ? found.size === files.size
      : path !== undefined && shown.some(({ file }) => holds(path, file))
  const unseen = isAwaited ? 'not-seen' : 'scanned'
  return {
    outcome: isSeen ? 'seen' : (trouble ?? unseen),
    found,
    awaited: files.size,
    isComplete: isSeen || !isAwaited || trouble !== undefined,
  }
}

/** What the scan has come to for one who waits: for a file of one's own, whether that is there. */
export function outcomeFor(requester: Requester, { outcome, found }: Verdict): ScanOutcome {
  const file = fileOf(requester)
  if (file === undefined) return outcome
  if (found.has(file)) return 'seen'
  return outcome === 'seen' ? 'not-seen' : outcome
}
