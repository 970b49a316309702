import { isAudio } from '#contract/options.ts'
import type { Format, Quality } from '#contract/options.ts'
import { chooseHeight, isSoundAlone, linesNamed, nominalOf } from '#contract/selection.ts'
import type { ChosenHeight, Offer, Selection, Warning } from '#contract/selection.ts'

export type Wanted = { readonly quality: Quality; readonly format: Format }

/** Heights that differ by less are the same: encoders round them. */
const slack = 0.98

/** What was wanted, what was best, what was taken, and why. */
export function explainSelection(wanted: Wanted, offers: readonly Offer[], taken: Offer): Selection {
  const best = isAudio(wanted.format) ? offers.find(isSoundAlone) : offers[0]
  const directPlay = playsDirectly(wanted.format, taken)
  const common = { wanted, ...(best && { best }), taken, directPlay }
  if (isAudio(wanted.format))
    return { ...common, reason: 'sound', explanation: `Sound alone was wanted. ${describe(common)}` }
  const chosen = chooseHeight(wanted.quality, picturesIn(offers, taken))
  const got = nominalOf(taken)
  const reason = isAsWanted(got, linesNamed(wanted.quality)) ? 'exact' : chosen.reason
  const parts = [
    reasons[reason](wanted.quality, chosen.lines),
    isLess(got, chosen) ? `Only ${got}p arrived.` : '',
    describe(common),
  ]
  return { ...common, reason, explanation: parts.filter(Boolean).join(' ') }
}

/** What the owner should know about what was taken. `converted` says that something was encoded anew. */
export function selectionWarnings(
  { wanted, taken = {}, directPlay }: Selection,
  offers: readonly Offer[],
  { converted }: { readonly converted: boolean },
): Warning[] {
  const warnings: Warning[] = []
  if (!isAudio(wanted.format)) {
    const chosen = chooseHeight(wanted.quality, picturesIn(offers, taken))
    const got = nominalOf(taken)
    const wish = linesNamed(wanted.quality)
    if (isLess(got, chosen))
      warnings.push({
        code: 'lower-than-offered',
        detail: `The site offers ${chosen.lines}p, and ${got}p arrived.`,
      })
    else if (wish !== undefined && got !== undefined && got < wish * slack)
      warnings.push({
        code: 'lower-than-wanted',
        detail: `${wanted.quality} was wanted, and the nearest below it that the site offers is ${got}p.`,
      })
    else if (chosen.reason === 'nearest' && wish !== undefined && got !== undefined && got * slack > wish)
      warnings.push({
        code: 'higher-than-wanted',
        detail: `${wanted.quality} was wanted, and the least that the site offers is ${got}p.`,
      })
  }
  if (wanted.format === 'mp4' && !directPlay)
    warnings.push({
      code: 'not-direct-play',
      detail: `It came as ${codecsOf(taken)}: some players need Plex to convert it.`,
    })
  if (converted)
    warnings.push({
      code: 'converted',
      detail: `The site does not offer it as ${wanted.format}: it was encoded anew.`,
    })
  return warnings
}

const reasons: Readonly<
  Record<ChosenHeight['reason'], (quality: Quality, lines: number | undefined) => string>
> = {
  best: (_, lines) => (lines === undefined ? 'The best was wanted.' : `The highest offered is ${lines}p.`),
  exact: (quality) => `${quality} was wanted and is offered.`,
  'nearest-lower': (quality, lines) =>
    `${quality} was wanted; the nearest below it that is offered is ${lines}p.`,
  nearest: (quality, lines) =>
    lines === undefined
      ? `${quality} was wanted; the site does not tell what it offers.`
      : `${quality} was wanted; the least that is offered is ${lines}p.`,
}

/** A site that tells no heights offers at least the one that came. */
const picturesIn = (offers: readonly Offer[], taken: Offer): readonly Offer[] =>
  offers.some((offer) => nominalOf(offer) !== undefined) ? offers : [taken]

const isAsWanted = (got: number | undefined, wish: number | undefined): boolean =>
  got !== undefined && wish !== undefined && got >= wish * slack && got * slack <= wish

const isLess = (got: number | undefined, { lines: due }: ChosenHeight): boolean =>
  got !== undefined && due !== undefined && got < due * slack

const soundOfPlex: ReadonlySet<string | undefined> = new Set(['aac', 'mp3', 'ac3', 'eac3', undefined])

/** What Plex players commonly take without any conversion. */
function playsDirectly(format: Format, { videoCodec, audioCodec }: Offer): boolean {
  if (format === 'm4a') return audioCodec === 'aac'
  if (format === 'mp3') return audioCodec === 'mp3'
  return format === 'mp4' && videoCodec === 'h264' && soundOfPlex.has(audioCodec)
}

const codecsOf = ({ videoCodec, audioCodec }: Offer): string =>
  [videoCodec, audioCodec].filter((codec) => codec !== undefined).join(' and ') || 'unknown codecs'

function describe({
  wanted,
  taken,
  directPlay,
}: Pick<Selection, 'wanted' | 'directPlay'> & { readonly taken: Offer }): string {
  const fate = directPlay ? 'commonly take as it is' : 'may need converted'
  return `It is ${codecsOf(taken)} in ${wanted.format}, which Plex players ${fate}.`
}
