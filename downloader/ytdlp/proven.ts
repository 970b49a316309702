import type { Job } from '#contract/downloader-link.ts'
import type { PlacedFile } from '#contract/downloads.ts'
import type { Selection, Warning } from '#contract/selection.ts'
import { cutsOf } from './account.ts'
import { isConverted } from './conversion.ts'
import type { Fetched } from './download.ts'
import { inspect, pictureOf, prove, subtitleTags } from './ffprobe.ts'
import type { Findings, MediaFacts, Unproven } from './ffprobe.ts'
import { frameOf } from './frame.ts'
import { isUncut } from './lengths.ts'
import { formatsMissing } from './missing-formats.ts'
import { explainSelection, selectionWarnings } from './selection.ts'
import { languagesEmbedded, languagesMissing } from './subtitles.ts'
import type { Sidecar } from './subtitles.ts'
import type { Target } from './target.ts'
import type { Toolbox } from './toolbox.ts'

export type Proven = {
  readonly ok: true
  readonly facts: Omit<PlacedFile, 'name' | 'bytes' | 'sha256'>
  readonly selection: Selection
  readonly warnings: readonly Warning[]
  /** What is to stand beside the film: subtitles that are not in it. */
  readonly sidecars: readonly Sidecar[]
}

/** Holds what was fetched against what was asked for, and says why when it is not that. */
export async function proveFetched(
  { job, target, signal }: { readonly job: Job; readonly target: Target; readonly signal: AbortSignal },
  fetched: Fetched,
  { ffprobe, environment }: Toolbox,
): Promise<Proven | Unproven> {
  const { durationSeconds } = fetched.metadata
  const cuts = cutsOf(fetched.account.sponsored, job.extras)
  const found = await inspect(fetched.media, ffprobe, environment, signal)
  const proof = prove(found, { format: job.format, durationSeconds, sound: fetched.sound, cuts })
  if (!proof.ok) return proof
  const { facts: media, findings } = proof

  const languages = fetched.sidecars.map(({ language }) => language)
  const embedded =
    job.extras.subtitles?.delivery === 'embed' ? languagesEmbedded(languages, subtitleTags(findings)) : []
  const sidecars = fetched.sidecars.filter(({ language }) => !embedded.includes(language))
  const { selection, warnings } = select(job, fetched, findings, media)
  return {
    ok: true,
    facts: { ...media, ...(languages.length > 0 && { subtitles: languages }) },
    selection,
    warnings: [
      ...warnings,
      ...formatsMissing(fetched.run, selection),
      ...subtitleWarnings(job, languages),
      ...sponsorWarnings(job, target, fetched, media.durationSeconds ?? 0, cuts),
      ...runWarnings(fetched),
    ],
    sidecars,
  }
}

function select(
  { quality, format }: Job,
  { metadata, account }: Fetched,
  findings: Findings,
  media: MediaFacts,
): { selection: Selection; warnings: Warning[] } {
  const picture = pictureOf(findings)
  const framesPerSecond = rateOf(picture?.avg_frame_rate)
  const { videoCodec, audioCodec } = media
  const taken = {
    ...(picture && frameOf(picture)),
    ...(videoCodec && { videoCodec }),
    ...(audioCodec && { audioCodec }),
    container: format,
    ...(framesPerSecond && { framesPerSecond }),
  }
  const offers = metadata.offers ?? []
  const selection = explainSelection({ quality, format }, offers, taken)
  const converted = isConverted(account.streams, media, format)
  return { selection, warnings: selectionWarnings(selection, offers, { converted }) }
}

function rateOf(fraction: string | undefined): number | undefined {
  const [frames = 0, seconds = 1] = fraction?.split('/').map(Number) ?? []
  const rate = Math.round((frames / seconds) * 1000) / 1000
  return Number.isFinite(rate) && rate > 0 ? rate : undefined
}

function subtitleWarnings({ extras }: Job, there: readonly string[]): Warning[] {
  const missing = extras.subtitles ? languagesMissing(extras.subtitles, there) : []
  if (missing.length === 0) return []
  return [{ code: 'subtitles-missing', detail: `There are none to be had in: ${missing.join(', ')}.` }]
}

function sponsorWarnings(
  { extras }: Job,
  target: Target,
  { metadata, run }: Fetched,
  duration: number,
  cuts: readonly number[],
): Warning[] {
  const { sponsorBlock } = extras
  if (!sponsorBlock) return []
  const because = (detail: string): Warning[] => [{ code: 'sponsorblock-unavailable', detail }]
  if (!target.youtube) return because('SponsorBlock knows the videos of YouTube only.')
  if (run.errors.some((line) => line.includes('communicate with SponsorBlock')))
    return because('SponsorBlock could not be asked.')
  const { durationSeconds: whole = 0 } = metadata
  const least = whole - cuts.reduce((sum, cut) => sum + cut, 0)
  const uncut = cuts.length > 0 && isUncut(duration, whole) && !isUncut(duration, least)
  return uncut ? because('What SponsorBlock knows could not be cut out.') : []
}

/** What is spoken of above need not be told twice. */
function runWarnings({ run }: Fetched): Warning[] {
  const others = run.errors.filter((line) => !/SponsorBlock|subtitle/i.test(line))
  if (run.exitCode === 0 || (others.length === 0 && run.errors.length > 0)) return []
  return [
    { code: 'finished-with-errors', detail: 'The file is whole, and something about it could not be done.' },
  ]
}
