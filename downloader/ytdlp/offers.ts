import { isSoundAlone, Offer } from '#contract/selection.ts'
import { frameOf } from './frame.ts'
import type { RawFormat } from './records.ts'

const mostOffers = 60

type Sized = Pick<RawFormat, 'filesize' | 'filesize_approx' | 'tbr'>

/** What a stream weighs, as far as the site says it or lets it be reckoned; 0 when nobody knows. */
export function bytesOf({ filesize, filesize_approx, tbr }: Sized, durationSeconds = 0): number {
  return Math.round(filesize ?? filesize_approx ?? (tbr ?? 0) * 125 * durationSeconds)
}

const isPicture = ({ vcodec }: RawFormat): boolean => vcodec !== 'none'
const isSound = ({ vcodec, acodec }: RawFormat): boolean => vcodec === 'none' && acodec !== 'none'

/** The forms a video comes in, the best first: one of each height and codec, then what is only to be heard. */
export function toOffers(formats: readonly RawFormat[], durationSeconds?: number): Offer[] {
  const weigh = (format: RawFormat): number => bytesOf(format, durationSeconds)
  const sounds = formats.filter(isSound)
  const heaviestSound = Math.max(0, ...sounds.map(weigh))
  const pictures = formats.filter(isPicture).map((format) => {
    const own = weigh(format)
    // A picture alone is fetched together with a sound.
    return toOffer(format, own > 0 && format.acodec === 'none' ? own + heaviestSound : own)
  })
  const offers = [...pictures, ...sounds.map((format) => toOffer(format, weigh(format)))]
    .filter((offer) => Object.keys(offer).length > 0)
    .toSorted(byWorth)
  const distinct = new Map<string, Offer>()
  for (const offer of offers) {
    const key = [offer.heightPixels, offer.videoCodec, offer.videoCodec ? '' : offer.audioCodec].join()
    if (!distinct.has(key)) distinct.set(key, offer)
  }
  return [...distinct.values()].slice(0, mostOffers)
}

const byWorth = (a: Offer, b: Offer): number =>
  Number(isSoundAlone(a)) - Number(isSoundAlone(b)) ||
  (b.heightPixels ?? 0) - (a.heightPixels ?? 0) ||
  (b.framesPerSecond ?? 0) - (a.framesPerSecond ?? 0) ||
  (b.bytes ?? 0) - (a.bytes ?? 0)

function toOffer(format: RawFormat, bytes: number): Offer {
  const { fps, ext } = format
  const offer = {
    ...(isPicture(format) && frameOf(format)),
    videoCodec: codecName(format.vcodec),
    audioCodec: codecName(format.acodec),
    container: ext?.slice(0, 20),
    framesPerSecond: isPicture(format) && fps && Number.isFinite(fps) ? fps : undefined,
    bytes: Number.isSafeInteger(bytes) && bytes > 0 ? bytes : undefined,
  }
  return Offer.parse(
    Object.fromEntries(Object.entries(offer).filter(([, value]) => value !== undefined && value !== '')),
  )
}

const codecNames: readonly (readonly [RegExp, string])[] = [
  [/^(?:avc|h264|x264)/, 'h264'],
  [/^(?:hev|hvc|h265|hevc|dvh)/, 'hevc'],
  [/^(?:av01|av1)/, 'av1'],
  [/^vp0?9/, 'vp9'],
  [/^vp0?8/, 'vp8'],
  [/^(?:mp4a\.(?:69|6b)|mp3)/, 'mp3'],
  [/^(?:mp4a|aac)/, 'aac'],
  [/^(?:ec-3|eac3)/, 'eac3'],
  [/^(?:ac-3|ac3)/, 'ac3'],
]

/** A codec by the name ffprobe gives it; undefined when there is none or nobody knows. */
export function codecName(raw: string | undefined): string | undefined {
  const name = raw?.trim().toLowerCase()
  if (name === undefined || name === '' || name === 'none' || name === 'unknown') return undefined
  return codecNames.find(([pattern]) => pattern.test(name))?.[1] ?? name.split('.')[0]?.slice(0, 20)
}
