import { qualities, type Quality } from '#contract/options.ts'
import { linesNamed, type Offer } from '#contract/selection.ts'
import type { RawFormat } from './records.ts'

type Size = Pick<RawFormat, 'height' | 'width'>

const named = qualities.flatMap((quality) => {
  const lines = linesNamed(quality)
  return lines === undefined ? [] : [{ quality, lines }]
})
/** The lowest first. */
const steps = named.toReversed()

/**
 * The longer side that a picture of so many lines may have: that of 16:9, and a little more, since cinemas have
 * 4096x2160 and encoders round 854x480.
 */
export const longestSide = (lines: number): number => Math.floor(((lines * 16) / 9) * 1.1)

const sidesOf = ({ height, width }: Size): number[] =>
  [height, width].map((side) => Math.trunc(side ?? 0)).filter((side) => side > 0 && side < 1e6)

/** The shorter side: qualities are named after it, also where a film stands upright. */
export function linesOf(size: Size): number | undefined {
  const sides = sidesOf(size)
  return size.height && sides.length > 0 ? Math.min(...sides) : undefined
}

/** The size of a picture, and the lines its quality is named after where those are others. */
export function frameOf(size: Size): Pick<Offer, 'heightPixels' | 'nominalLines'> {
  const lines = linesOf(size)
  if (lines === undefined) return {}
  const nominal = nominalLines(lines, Math.max(...sidesOf(size)))
  return { heightPixels: lines, ...(nominal !== lines && { nominalLines: nominal }) }
}

/** Those of the frame of 16:9 that it fits into: 1080 of 1920x804, whose neighbours are 2560x1072 and 1280x536. */
function nominalLines(short: number, long: number): number {
  const framed = Math.max(short, Math.round((long * 9) / 16))
  const step = steps.find(
    ({ lines }) => short <= lines && framed >= lines * 0.98 && long <= longestSide(lines),
  )
  return step?.lines ?? framed
}

/** The least quality by which a picture can be asked for. */
export function nominalQuality(size: Size): Quality | undefined {
  const { heightPixels = 0, nominalLines: lines = heightPixels } = frameOf(size)
  const [smallest] = steps
  if (smallest === undefined || lines < smallest.lines * 0.7) return undefined
  return steps.find((step) => lines <= step.lines * 1.05)?.quality
}
