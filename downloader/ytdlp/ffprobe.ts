import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { execa } from 'execa'
import * as z from 'zod'
import { audioFormats } from '#contract/options.ts'
import type { Format } from '#contract/options.ts'

const Findings = z.object({
  streams: z.array(
    z.object({
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      height: z.number().optional(),
      disposition: z.object({ attached_pic: z.number().optional() }).optional(),
    }),
  ),
  format: z.object({ format_name: z.string(), duration: z.coerce.number().optional().catch(undefined) }),
})
export type Findings = z.output<typeof Findings>

export type Expectation = {
  readonly format: Format
  readonly durationSeconds: number | undefined
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
  const { streams, format } = findings
  const picture = streams.find(
    ({ codec_type, disposition }) => codec_type === 'video' && disposition?.attached_pic !== 1,
  )
  const sound = streams.find(({ codec_type }) => codec_type === 'audio')
  const audioOnly = (audioFormats as readonly Format[]).includes(expected.format)
  if (!format.format_name.split(',').includes(containers[expected.format])) return undefined
  if (audioOnly ? !sound || picture : !picture || (expected.sound && !sound)) return undefined
  const { duration } = format
  if (duration === undefined || !(duration > 0)) return undefined
  if (expected.durationSeconds !== undefined && expected.durationSeconds > 0) {
    const tolerance = Math.max(1, expected.durationSeconds * 0.02)
    if (Math.abs(duration - expected.durationSeconds) > tolerance) return undefined
  }
  return {
    durationSeconds: duration,
    ...(picture?.height && { heightPixels: picture.height }),
    ...(picture?.codec_name && { videoCodec: picture.codec_name }),
    ...(sound?.codec_name && { audioCodec: sound.codec_name }),
  }
}

export async function fingerprint(file: string): Promise<{ bytes: number; sha256: string }> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file, { highWaterMark: 1024 * 1024 }) as AsyncIterable<Buffer>) {
    hash.update(chunk)
  }
  return { bytes: (await stat(file)).size, sha256: hash.digest('hex') }
}
