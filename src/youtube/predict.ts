import type { VideoMetadata } from '#contract/downloads.ts'
import { isAudio, type DownloadOptions, type Format } from '#contract/options.ts'
import {
  chooseHeight,
  isSoundAlone,
  nominalOf,
  type ChosenHeight,
  type Offer,
  type Selection,
} from '#contract/selection.ts'

type Offered = Pick<VideoMetadata, 'availableHeights' | 'offers'>

const isH264 = ({ videoCodec }: Offer) => /^(?:avc|h264)/i.test(videoCodec ?? '')
const aac = /^(?:aac|mp4a)/i
const opus = /^opus/i

/** What would be taken of what is offered, as far as that can be told beforehand. */
export function predictSelection(
  { quality, format }: DownloadOptions,
  offered: Offered,
): Selection | undefined {
  const wanted = { quality, format }
  if (isAudio(format)) return { wanted, ...sound(format, offered.offers ?? []) }
  const pictures = picturesOf(offered)
  const { lines, reason } = chooseHeight(quality, pictures)
  const best = pictures[0]
  const taken = lines === undefined ? undefined : pictureOf(pictures, lines, format)
  if (lines === undefined || !best || !taken) return undefined
  return {
    wanted,
    best,
    taken,
    reason,
    directPlay: format === 'mp4' && isH264(taken),
    explanation: explain(quality, lines, reason),
  }
}

/** The highest first; of some heights nothing else may be known. */
function picturesOf({ availableHeights, offers = [] }: Offered): Offer[] {
  const described = offers.filter(({ heightPixels }) => heightPixels !== undefined)
  const known = new Set(described.map(({ heightPixels }) => heightPixels))
  const others = availableHeights.filter((height) => !known.has(height))
  return [...described, ...others.map((heightPixels) => ({ heightPixels }))].toSorted(
    (a, b) => (nominalOf(b) ?? 0) - (nominalOf(a) ?? 0),
  )
}

/** In mp4 what Plex plays as it is comes first, in webm what belongs there; else whatever is best. */
function pictureOf(pictures: readonly Offer[], lines: number, format: Format): Offer | undefined {
  const there = pictures.filter((offer) => nominalOf(offer) === lines)
  const preferred = {
    mp4: isH264,
    webm: (offer: Offer) => !isH264(offer),
  }
  const fits = format === 'mp4' || format === 'webm' ? there.find(preferred[format]) : undefined
  return fits ?? there[0]
}

/** What sound is, when it is put into a file of its own without being encoded anew. */
const ownSound: Readonly<Partial<Record<Format, RegExp>>> = { m4a: aac, mp3: /^mp3/i, opus }

/** The heaviest is the best; AAC is taken before it, and Opus for Opus, as the downloader asks for them. */
function sound(format: Format, offers: readonly Offer[]): Omit<Selection, 'wanted'> {
  const sounds = offers.filter(isSoundAlone)
  const [best] = sounds
  const preferred = format === 'opus' ? opus : aac
  const taken = sounds.find(({ audioCodec = '' }) => preferred.test(audioCodec)) ?? best
  return {
    ...(best && { best }),
    ...(taken && { taken }),
    reason: 'sound',
    // Whatever it is made of, it ends as what belongs there.
    directPlay: format !== 'opus',
    explanation: explainSound(format, taken?.audioCodec),
  }
}

function explainSound(format: Format, codec: string | undefined): string {
  if (codec === undefined) return `The best sound that is offered, as ${format}.`
  const fate = ownSound[format]?.test(codec) ? 'as it is' : 'encoded anew'
  return `The best sound that is offered for ${format}, which is ${codec}, ${fate}.`
}

function explain(quality: string, height: number, reason: ChosenHeight['reason']): string {
  switch (reason) {
    case 'best':
      return `The best that is offered, ${height}p.`
    case 'exact':
      return `${quality}, as it was asked for.`
    case 'nearest-lower':
      return `${quality} is not offered: ${height}p is the next below.`
    case 'nearest':
      return `Nothing as low as ${quality} is offered: ${height}p is the nearest.`
  }
}
