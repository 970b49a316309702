import type { FailureCode } from '#contract/failures.ts'
import type { Selection, Warning } from '#contract/selection.ts'
import { classifyText } from './failure.ts'
import type { RunEvidence } from './failure.ts'

/** What yt-dlp calls a warning, going on with what is left of the forms a video comes in. */
const reasons: Readonly<Partial<Record<FailureCode, string>>> = {
  'js-runtime-missing':
    'the downloader could not solve the riddles by which the site tells players from programs',
  'client-blocked': 'the site wants a proof, which the downloader does not have, that a real player asks',
}

/** Why a run was not shown all that the site offers, as far as it has said so. */
export function hiddenBecause({ warnings }: Pick<RunEvidence, 'warnings'>): string | undefined {
  return warnings.map((line) => reasons[classifyText(line) ?? 'unknown']).find((reason) => reason)
}

/** Whoever got the very height that was wanted misses nothing. */
export function formatsMissing(run: Pick<RunEvidence, 'warnings'>, { reason }: Selection): Warning[] {
  const because = reason === 'exact' ? undefined : hiddenBecause(run)
  if (because === undefined) return []
  return [
    { code: 'formats-missing', detail: `There may be better forms of it that were not seen: ${because}.` },
  ]
}
