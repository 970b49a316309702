import type { DownloadExtras } from '#contract/options.ts'
import type { VideoMetadata } from '#contract/downloads.ts'
import type { RawFormat, RawSpan, RawStream, YtDlpRecord } from './records.ts'
import { toVideoMetadata } from './metadata.ts'
import { bytesOf } from './offers.ts'

/** What the records of a run have told. */
export type Account = {
  metadata: VideoMetadata | undefined
  formats: readonly RawFormat[]
  streams: readonly RawStream[]
  durationSeconds: number | undefined
  /** What SponsorBlock knows of the video. */
  sponsored: readonly RawSpan[]
  readonly files: string[]
  readonly exactSizes: Map<string, number>
}

export const openAccount = (): Account => ({
  metadata: undefined,
  formats: [],
  streams: [],
  durationSeconds: undefined,
  sponsored: [],
  files: [],
  exactSizes: new Map(),
})

/** Writes down what a record tells. */
export function note(account: Account, record: YtDlpRecord): void {
  switch (record.kind) {
    case 'metadata':
      account.formats = record.formats ?? []
      account.metadata = toVideoMetadata(record.info, account.formats, record)
      break
    case 'start':
      account.streams = record.streams?.length ? record.streams : [record.info]
      account.durationSeconds = record.info.duration
      break
    case 'tick': {
      const { status, total_bytes: total } = record.tick
      // Of a file that lies there already, the end tells what it weighs by now: it may have been worked on.
      if (status === 'downloading' && total !== undefined)
        account.exactSizes.set(record.info.format_id, total)
      break
    }
    case 'file':
      account.files.push(record.info.filepath)
      account.sponsored = record.sponsored ?? []
      break
    case 'step':
    case 'playlist':
      break
  }
}

export const hasSound = ({ streams }: Account): boolean =>
  streams.some(({ acodec }) => acodec !== undefined && acodec !== 'none')

/** What the streams weigh together: what servers have said of them, else what the site says. */
export function expectedBytes({ streams, exactSizes, durationSeconds }: Account): number {
  return streams.reduce(
    (sum, stream) => sum + (exactSizes.get(stream.format_id) ?? bytesOf(stream, durationSeconds)),
    0,
  )
}

/** The lengths of what was to be cut out; spans that overlap are one cut. */
export function cutsOf(spans: readonly RawSpan[], { sponsorBlock }: DownloadExtras): readonly number[] {
  if (sponsorBlock?.action !== 'remove') return []
  const wanted = spans.filter(({ category }) => sponsorBlock.categories.some((known) => known === category))
  const cuts: { start: number; end: number }[] = []
  const ordered = wanted.map(({ start_time: start = 0, end_time: end = 0 }) => ({ start, end }))
  for (const span of ordered.toSorted((a, b) => a.start - b.start)) {
    const last = cuts.at(-1)
    if (last && last.end >= span.start) last.end = Math.max(last.end, span.end)
    else cuts.push({ ...span })
  }
  return cuts.map(({ start, end }) => end - start).filter((length) => length > 0)
}
