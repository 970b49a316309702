import * as z from 'zod'

import { Format, Quality } from './options.ts'

/** One form a site offers a video in, or the one that was taken. */
export const Offer = z.object({
  heightPixels: z.int().positive().optional(),
  nominalLines: z.int().positive().optional().meta({
    description: 'What its quality is named after, where that is another height: 1080 of 1920x804',
  }),
  videoCodec: z.string().optional(),
  audioCodec: z.string().optional(),
  container: z.string().optional(),
  framesPerSecond: z.number().positive().optional(),
  bytes: z.int().positive().optional().meta({ description: 'May be an estimate before the download' }),
})
export type Offer = z.output<typeof Offer>

/** How the height came about. `nearest`: everything offered is higher than what was wanted. */
export const selectionReasons = ['best', 'exact', 'nearest-lower', 'nearest', 'sound'] as const

/** What was wanted, what was best, what was taken (or would be), and why. */
export const Selection = z
  .object({
    wanted: z.object({ quality: Quality, format: Format }),
    best: Offer.optional().meta({
      description: 'The best picture that the site offers; the best sound where that alone is wanted',
    }),
    taken: Offer.optional(),
    reason: z.enum(selectionReasons),
    directPlay: z.boolean().meta({ description: 'Whether Plex players commonly take it as it is' }),
    explanation: z.string(),
  })
  .meta({ id: 'Selection' })
export type Selection = z.output<typeof Selection>

export const warningCodes = [
  'lower-than-wanted',
  'lower-than-offered',
  'higher-than-wanted',
  'formats-missing',
  'not-direct-play',
  'converted',
  'subtitles-missing',
  'sponsorblock-unavailable',
  'thumbnail-missing',
  'finished-with-errors',
] as const

/** Something the owner of a completed download should know. */
export const Warning = z
  .object({ code: z.enum(warningCodes), detail: z.string() })
  .meta({ id: 'DownloadWarning' })
export type Warning = z.output<typeof Warning>

/** The lines that a quality promises. */
export const linesNamed = (quality: Quality): number | undefined =>
  quality === 'best' ? undefined : Number.parseInt(quality, 10)

/** The lines that an offer goes by. */
export const nominalOf = ({ nominalLines, heightPixels }: Offer): number | undefined =>
  nominalLines ?? heightPixels

export const isSoundAlone = ({ heightPixels, videoCodec, audioCodec }: Offer): boolean =>
  heightPixels === undefined && videoCodec === undefined && audioCodec !== undefined

export type ChosenHeight = {
  readonly lines: number | undefined
  readonly reason: Exclude<(typeof selectionReasons)[number], 'sound'>
}

/** The exact height if it is offered, else the nearest lower one, else the nearest; by the lines that offers go by. */
export function chooseHeight(quality: Quality, offers: readonly Offer[]): ChosenHeight {
  const heights = offers.flatMap((offer) => nominalOf(offer) ?? []).toSorted((a, b) => b - a)
  const wanted = linesNamed(quality)
  if (wanted === undefined) return { lines: heights[0], reason: 'best' }
  if (heights.includes(wanted)) return { lines: wanted, reason: 'exact' }
  const lower = heights.find((height) => height < wanted)
  if (lower !== undefined) return { lines: lower, reason: 'nearest-lower' }
  return { lines: heights.at(-1), reason: 'nearest' }
}
