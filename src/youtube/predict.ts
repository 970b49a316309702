import type { VideoMetadata } from '#contract/downloads.ts'
import { isAudio, type DownloadOptions, type Format } from '#contract/options.ts'
import { chooseHeight, type ChosenHeight, type Offer, type Selection } from '#contract/selection.ts'

type Offered = Pick<VideoMetadata, 'availableHeights' | 'offers'>

const isH264 = ({ videoCodec }: Offer) => /^(?:avc|h264)/i.test(videoCodec ?? '')

/** What would be taken of what is offered, as far as that can be told beforehand. */
export function predictSelection(
  { quality, format }: DownloadOptions,
  { availableHeights, offers = [] }: Offered,
): Selection | undefined {
  const wanted = { quality, format }
  if (isAudio(format)) return { wanted, ...sound(format, offers) }
  const { heightPixels, reason } = chooseHeight(quality, availableHeights)
  if (heightPixels === undefined) return undefined
  const highest = Math.max(...availableHeights)
  const best = offers.find((offer) => offer.heightPixels === highest) ?? { heightPixels: highest }
  const taken = offerOf(offers, heightPixels, format) ?? { heightPixels }
  return {
    wanted,
    best,
    taken,
    reason,
    directPlay: format === 'mp4' && isH264(taken),
    explanation: explain(quality, heightPixels, reason),
  }
}

/** In mp4 what Plex plays as it is comes first, in webm what belongs there; else whatever is best. */
function offerOf(offers: readonly Offer[], heightPixels: number, format: Format): Offer | undefined {
  const there = offers.filter((offer) => offer.heightPixels === heightPixels)
  const preferred = {
    mp4: isH264,
    webm: (offer: Offer) => !isH264(offer),
  }
  const fits = format === 'mp4' || format === 'webm' ? there.find(preferred[format]) : undefined
  return fits ?? there[0]
}

function sound(format: Format, offers: readonly Offer[]): Omit<Selection, 'wanted'> {
  const taken = offers.find(({ heightPixels, audioCodec }) => heightPixels === undefined && audioCodec)
  return {
    ...(taken && { best: taken, taken }),
    reason: 'sound',
    directPlay: format !== 'opus',
    explanation: `The best sound that is offered, as ${format}.`,
  }
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
