/** How long a film or a piece of sound is, or in one sentence why it is not whole. */
type Measured = { readonly ok: true; readonly seconds: number } | { readonly ok: false; readonly why: string }

/** What ffprobe has found of a stream: MP4 tells its length, Matroska in a tag or not at all. */
type Timed = {
  readonly duration?: number | undefined
  readonly tags?: { readonly DURATION?: string | undefined } | undefined
}

type Found = {
  readonly picture: Timed | undefined
  readonly sound: Timed | undefined
  readonly containerSeconds: number | undefined
}

export type DueLength = {
  readonly durationSeconds: number | undefined
  /** What was to be cut out, in seconds, one entry for each cut. */
  readonly cuts?: readonly number[] | undefined
}

/** Cuts are made where the picture can be cut, which may be some seconds off. */
const cutSlackSeconds = 10
/** Sound may go on a little over the last picture. */
const tailSeconds = 3

const toleranceOf = (seconds: number): number => Math.max(1, seconds * 0.02)
const shown = (seconds: number): string => `${Math.round(seconds * 10) / 10} s`

/**
 * Holds the picture of a film, or sound that stands alone, against the length that is due. What a file does not tell of
 * a stream is taken from the other or from the container, whose length may be that of subtitles.
 */
export function measure({ picture, sound, containerSeconds }: Found, due: DueLength): Measured {
  const [seen, heard] = [lengthOf(picture), lengthOf(sound)]
  const seconds = withTail(seen, heard) ?? heard ?? containerSeconds ?? 0
  if (!(seconds > 0)) return { ok: false, why: 'it has no length' }
  if (!isLongEnough(seconds, due)) return { ok: false, why: `${expectation(due)}, ${shown(seconds)} found` }
  if (seen !== undefined && heard !== undefined && isMuchShorter(heard, seen, due))
    return { ok: false, why: `the picture is ${shown(seen)} long, the sound ${shown(heard)}` }
  return { ok: true, seconds }
}

function lengthOf(stream: Timed | undefined): number | undefined {
  const length = stream && (stream.duration ?? secondsOf(stream.tags?.DURATION))
  return length !== undefined && length > 0 ? length : undefined
}

function secondsOf(clock: string | undefined): number | undefined {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(clock ?? '') ?? []
  return hours === undefined ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** Of very short films a tail is a good part, and no tail. */
function withTail(seen: number | undefined, heard = 0): number | undefined {
  if (seen === undefined) return undefined
  const isTail = heard > seen && heard - seen <= Math.min(tailSeconds, heard * 0.1)
  return isTail ? heard : seen
}

/** Sites let the sound end a while before the picture does. */
const isMuchShorter = (heard: number, seen: number, { cuts = [] }: DueLength): boolean =>
  heard < seen * 0.9 - 2 - cuts.length * cutSlackSeconds

const leastOf = (whole: number, { cuts = [] }: DueLength): number =>
  whole - cuts.reduce((sum, cut) => sum + cut, 0)

/** A cut that could not be made is no reason to throw the film away. */
function isLongEnough(seconds: number, due: DueLength): boolean {
  const { durationSeconds: whole, cuts = [] } = due
  if (whole === undefined || whole <= 0) return true
  const least = leastOf(whole, due)
  const most = Math.min(whole, least + cuts.length * cutSlackSeconds)
  const isCut = seconds >= least - toleranceOf(least) && seconds <= most + toleranceOf(most)
  return isCut || isUncut(seconds, whole)
}

/** Whether it is as long as the whole film. */
export const isUncut = (seconds: number, whole: number): boolean =>
  Math.abs(seconds - whole) <= toleranceOf(whole)

function expectation(due: DueLength): string {
  const { durationSeconds: whole = 0, cuts = [] } = due
  return cuts.length === 0
    ? `${shown(whole)} expected`
    : `${shown(leastOf(whole, due))} of ${shown(whole)} expected`
}
