import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { execa } from 'execa'
import * as z from 'zod'
import { isAudio } from '#contract/options.ts'
import type { Format } from '#contract/options.ts'

const Findings = z.object({
  streams: z.array(
    z.object({
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      height: z.number().optional(),
      width: z.number().optional(),
      avg_frame_rate: z.string().optional(),
      duration: z.coerce.number().optional().catch(undefined),
      disposition: z.object({ attached_pic: z.number().optional() }).optional(),
      tags: z
        .object({ language: z.string().optional(), DURATION: z.string().optional() })
        .optional()
        .catch(undefined),
    }),
  ),
  format: z.object({ format_name: z.string(), duration: z.coerce.number().optional().catch(undefined) }),
})
export type Findings = z.output<typeof Findings>
type Stream = Findings['streams'][number]

export type Expectation = {
  readonly format: Format
  readonly durationSeconds: number | undefined
  /** Whether what was chosen had sound. */
  readonly sound: boolean
  /** What was to be cut out, in seconds, one entry for each cut. */
  readonly cuts?: readonly number[]
}

export type MediaFacts = {
  readonly durationSeconds?: number
  readonly heightPixels?: number
  readonly videoCodec?: string
  readonly audioCodec?: string
}

/** Reads what a file really holds; undefined when it is not media. */
export async function inspect(
  file: string,
  ffprobe: string,
  environment: Readonly<Record<string, string>>,
): Promise<Findings | undefined> {
  const { stdout, failed } = await execa(
    ffprobe,
    // A file that poses as a playlist must not make it reach out.
    [
      ...'-v error -protocol_whitelist file -print_format json -show_streams -show_format -i'.split(' '),
      `file:${file}`,
    ],
    { env: environment, extendEnv: false, stdin: 'ignore', reject: false, timeout: 60_000 },
  )
  if (failed) return undefined
  try {
    return Findings.safeParse(JSON.parse(stdout)).data
  } catch {
    return undefined
  }
}

const containers: Readonly<Record<Format, string>> = {
  mp4: 'mp4',
  m4a: 'm4a',
  webm: 'webm',
  mkv: 'matroska',
  mp3: 'mp3',
  opus: 'ogg',
}

/** Holds findings against what was asked for; undefined when they do not prove it. */
export function prove(findings: Findings, expected: Expectation): MediaFacts | undefined {
  const picture = pictureOf(findings)
  const sound = findings.streams.find(({ codec_type }) => codec_type === 'audio')
  const audioOnly = isAudio(expected.format)
  if (!findings.format.format_name.split(',').includes(containers[expected.format])) return undefined
  if (audioOnly ? !sound || picture : !picture || (expected.sound && !sound)) return undefined
  const duration = durationOf(findings)
  if (duration === undefined || !(duration > 0) || !isLongEnough(duration, expected)) return undefined
  return {
    durationSeconds: duration,
    ...(picture?.height && { heightPixels: picture.height }),
    ...(picture?.codec_name && { videoCodec: picture.codec_name }),
    ...(sound?.codec_name && { audioCodec: sound.codec_name }),
  }
}

export const pictureOf = ({ streams }: Findings): Stream | undefined =>
  streams.find(({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1)

/** The languages of embedded subtitles, as the container has them. */
export const subtitleTags = ({ streams }: Findings): string[] =>
  streams.flatMap(({ codec_type, tags }) => (codec_type === 'subtitle' ? [tags?.language ?? 'und'] : []))

/** Of picture and sound, where they tell it: subtitles may go on after the film. */
function durationOf({ streams, format }: Findings): number | undefined {
  const lengths = streams
    .filter(({ codec_type }) => codec_type === 'video' || codec_type === 'audio')
    .flatMap(({ duration, tags }) => duration ?? secondsOf(tags?.DURATION) ?? [])
    .filter((length) => length > 0)
  return lengths.length > 0 ? Math.max(...lengths) : format.duration
}

function secondsOf(clock: string | undefined): number | undefined {
  const [, hours, minutes, seconds] = /^(\d+):(\d\d):(\d\d(?:\.\d+)?)$/.exec(clock ?? '') ?? []
  return hours === undefined ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** Cuts are made where the picture can be cut, which may be some seconds off. */
const cutSlackSeconds = 10

const toleranceOf = (seconds: number): number => Math.max(1, seconds * 0.02)

/** A cut that could not be made is no reason to throw the film away. */
function isLongEnough(duration: number, { durationSeconds: whole, cuts = [] }: Expectation): boolean {
  if (whole === undefined || whole <= 0) return true
  const least = whole - cuts.reduce((sum, cut) => sum + cut, 0)
  const most = Math.min(whole, least + cuts.length * cutSlackSeconds)
  const isCut = duration >= least - toleranceOf(least) && duration <= most + toleranceOf(most)
  return isCut || isUncut(duration, whole)
}

/** Whether it is as long as the whole film. */
export const isUncut = (duration: number, whole: number): boolean =>
  Math.abs(duration - whole) <= toleranceOf(whole)

export async function fingerprint(file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
  }
  return { bytes: (await stat(file)).size, sha256: hash.digest('hex') }
}
