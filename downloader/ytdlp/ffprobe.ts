import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { execa } from 'execa'
import * as z from 'zod'
import { isAudio } from '#contract/options.ts'
import type { Format } from '#contract/options.ts'
import { measure } from './lengths.ts'
import type { DueLength } from './lengths.ts'

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

export type Expectation = DueLength & {
  readonly format: Format
  /** Whether what was chosen had sound. */
  readonly sound: boolean
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
  signal?: AbortSignal,
): Promise<Findings | undefined> {
  const { stdout, failed } = await execa(
    ffprobe,
    // A file that poses as a playlist must not make it reach out.
    [
      ...'-v error -protocol_whitelist file -print_format json -show_streams -show_format -i'.split(' '),
      `file:${file}`,
    ],
    {
      env: environment,
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      timeout: 60_000,
      killDescendants: true,
      forceKillAfterDelay: 1000,
      ...(signal && { cancelSignal: signal }),
    },
  )
  signal?.throwIfAborted()
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

/** `why` is for whoever looks into it, and holds nothing of the site. */
export type Unproven = { readonly ok: false; readonly why: string }
export type Proof = { readonly ok: true; readonly facts: MediaFacts; readonly findings: Findings } | Unproven

const unfit = (why: string): Unproven => ({ ok: false, why })

/** Holds findings against what was asked for, and says why when they do not prove it. */
export function prove(findings: Findings | undefined, expected: Expectation): Proof {
  if (!findings) return unfit('it is no film and no sound')
  const { format_name: container } = findings.format
  if (!container.split(',').includes(containers[expected.format]))
    return unfit(`the container is ${container}`)
  const picture = pictureOf(findings)
  const sound = findings.streams.find(({ codec_type }) => codec_type === 'audio')
  const audioOnly = isAudio(expected.format)
  if (audioOnly && picture) return unfit('there is a picture where sound alone was wanted')
  if (!audioOnly && !picture) return unfit('no picture')
  if (!sound && (audioOnly || expected.sound)) return unfit('no sound')
  const measured = measure({ picture, sound, containerSeconds: findings.format.duration }, expected)
  if (!measured.ok) return measured
  return {
    ok: true,
    findings,
    facts: {
      durationSeconds: measured.seconds,
      ...(picture?.height && { heightPixels: picture.height }),
      ...(picture?.codec_name && { videoCodec: picture.codec_name }),
      ...(sound?.codec_name && { audioCodec: sound.codec_name }),
    },
  }
}

export const pictureOf = ({ streams }: Findings): Stream | undefined =>
  streams.find(({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1)

/** The languages of embedded subtitles, as the container has them. */
export const subtitleTags = ({ streams }: Findings): string[] =>
  streams.flatMap(({ codec_type, tags }) => (codec_type === 'subtitle' ? [tags?.language ?? 'und'] : []))

export async function fingerprint(
  file: string,
  signal?: AbortSignal,
): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  const options = { highWaterMark: 1024 * 1024, ...(signal && { signal }) }
  for await (const chunk of createReadStream(file, options) as AsyncIterable<Buffer>) {
    hash.update(chunk)
  }
  return { bytes: (await stat(file)).size, sha256: hash.digest('hex') }
}
