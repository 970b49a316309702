import * as z from 'zod'

import { Format, Quality } from './options.ts'

/** One form a site offers a video in, or the one that was taken. */
export const Offer = z.object({
  heightPixels: z.int().positive().optional(),
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
    best: Offer.optional().meta({ description: 'The highest that the site offers' }),
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

export type ChosenHeight = {
  readonly heightPixels: number | undefined
  readonly reason: Exclude<(typeof selectionReasons)[number], 'sound'>
}

/** The exact height if it is offered, else the nearest lower one, else the nearest. */
export function chooseHeight(quality: Quality, offered: readonly number[]): ChosenHeight {
  const heights = offered.toSorted((a, b) => b - a)
  if (quality === 'best') return { heightPixels: heights[0], reason: 'best' }
  const wanted = Number.parseInt(quality, 10)
  if (heights.includes(wanted)) return { heightPixels: wanted, reason: 'exact' }
  const lower = heights.find((height) => height < wanted)
  if (lower !== undefined) return { heightPixels: lower, reason: 'nearest-lower' }
  return { heightPixels: heights.at(-1), reason: 'nearest' }
}
