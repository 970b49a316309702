import type { Format } from '#contract/options.ts'
import type { MediaFacts } from './ffprobe.ts'
import { codecName } from './offers.ts'
import type { RawStream } from './records.ts'

/** What files of a kind hold that is put into this container without being encoded anew. */
const kin: Readonly<Partial<Record<Format, readonly string[]>>> = {
  webm: ['webm'],
  m4a: ['m4a', 'mp4', 'aac', 'mov'],
  mp3: ['mp3'],
  opus: ['opus', 'ogg', 'webm'],
}

/** Whether the file holds other codecs than what was fetched; where a site does not tell those, by its containers. */
export function isConverted(
  streams: readonly RawStream[],
  { videoCodec, audioCodec }: MediaFacts,
  format: Format,
): boolean {
  const names = (read: (stream: RawStream) => string | undefined): string[] =>
    streams.flatMap((stream) => codecName(read(stream)) ?? [])
  const pictures = names(({ vcodec }) => vcodec)
  const sounds = names(({ acodec }) => acodec)
  const differs = (codec: string | undefined, from: readonly string[]): boolean =>
    codec !== undefined && from.length > 0 && !from.includes(codec)
  if (differs(videoCodec, pictures) || differs(audioCodec, sounds)) return true
  if (pictures.length + sounds.length > 0) return false
  return streams.some(({ ext }) => ext !== undefined && !(kin[format]?.includes(ext) ?? true))
}
