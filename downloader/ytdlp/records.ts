import * as z from 'zod'

const count = z.number().nonnegative().optional().catch(undefined)
const text = z.string().optional().catch(undefined)

export const RawMetadata = z.object({
  id: z.coerce.string(),
  title: text,
  channel: text,
  uploader: text,
  uploader_id: text,
  duration: count,
  thumbnail: text,
  description: text,
  upload_date: text,
  view_count: count,
  live_status: text,
  release_timestamp: count,
  availability: text,
})
export type RawMetadata = z.output<typeof RawMetadata>

export const RawFormat = z.object({
  ext: text,
  height: count,
  width: count,
  fps: count,
  vcodec: text,
  acodec: text,
  filesize: count,
  filesize_approx: count,
  /** Kilobits a second. */
  tbr: count,
})
export type RawFormat = z.output<typeof RawFormat>

const RawChapter = z.object({ title: text, start_time: count, end_time: count })
export type RawChapter = z.output<typeof RawChapter>

const RawSpan = z.object({ category: text, start_time: count, end_time: count })
export type RawSpan = z.output<typeof RawSpan>

const RawEntry = z.object({ url: text, title: text, duration: count })
export type RawEntry = z.output<typeof RawEntry>

export const RawStream = z.object({
  format_id: z.string().default(''),
  ext: text,
  filesize: count,
  filesize_approx: count,
  vcodec: text,
  acodec: text,
  height: count,
  /** Kilobits a second. */
  tbr: count,
})
export type RawStream = z.output<typeof RawStream>

const RawTick = z.object({
  status: text,
  downloaded_bytes: count,
  total_bytes: count,
  total_bytes_estimate: count,
  speed: count,
  eta: count,
  fragment_index: count,
  fragment_count: count,
})
export type RawTick = z.output<typeof RawTick>

const YtDlpRecord = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('metadata'),
    info: RawMetadata,
    formats: z.array(RawFormat).nullish(),
    chapters: z.array(RawChapter).nullish(),
    written: text.nullish(),
    automatic: text.nullish(),
  }),
  z.object({
    kind: z.literal('playlist'),
    info: z.object({ id: z.coerce.string(), title: text, playlist_count: count }),
    entries: z.array(RawEntry).nullish(),
  }),
  z.object({
    kind: z.literal('start'),
    info: RawStream.extend({ duration: count }),
    streams: z.array(RawStream).nullish(),
  }),
  z.object({ kind: z.literal('tick'), info: z.object({ format_id: z.string().default('') }), tick: RawTick }),
  z.object({ kind: z.literal('step'), step: z.object({ postprocessor: text, status: text }) }),
  z.object({
    kind: z.literal('file'),
    info: z.object({ filepath: z.string() }),
    sponsored: z.array(RawSpan).nullish(),
  }),
])
export type YtDlpRecord = z.output<typeof YtDlpRecord>
export type YtDlpRecordOf<K extends YtDlpRecord['kind']> = Extract<YtDlpRecord, { kind: K }>

/**
 * The records in a line: usually none or one, but two steps may share a line, and printed traffic may stand before them.
 * Undefined when it is not for us.
 */
export function parseRecords(line: string, nonce: string): YtDlpRecord[] | undefined {
  if (!line.includes(nonce)) return undefined
  return line
    .split(nonce)
    .slice(1)
    .flatMap((part) => {
      try {
        const parsed = YtDlpRecord.safeParse(JSON.parse(part))
        return parsed.success ? [parsed.data] : []
      } catch {
        return []
      }
    })
}
