import type { Phase, Progress } from '#contract/downloads.ts'
import type { RawStream, RawTick, YtDlpRecord } from './records.ts'
import { createSpeedMeter } from './speed.ts'

type Stream = {
  weight: number
  fraction: number
  downloadedBytes: number
  totalBytes: number | undefined
  seen: boolean
}

export type ProgressMeter = {
  /** What is about to be fetched: one stream, or a picture and a sound to be merged. */
  readonly streams: (streams: readonly RawStream[]) => void
  readonly tick: (formatId: string, tick: RawTick) => void
  /** yt-dlp is at work on what was fetched. */
  readonly step: () => void
  readonly phase: (phase: Phase) => void
  /** Something has come that was not told, as when a program fetches without a word. */
  readonly arrived: () => void
  readonly current: () => Progress
}

/** Where each phase begins and ends, in percent of the whole. */
const spans = {
  probing: [0, 1],
  downloading: [1, 92],
  processing: [92, 97],
  placing: [97, 100],
} as const satisfies Record<Phase, readonly [number, number]>
const order = Object.keys(spans)

/** Without sizes, pictures are taken to be this many times as heavy as sound. */
const pictureWeight = 9
/** Silence is called a stall from here on. */
const stallMs = 10_000

/** Told what yt-dlp says; other records say nothing of how far it is. */
export function hearProgress(meter: ProgressMeter, record: YtDlpRecord): void {
  if (record.kind === 'start') meter.streams(record.streams?.length ? record.streams : [record.info])
  if (record.kind === 'tick') meter.tick(record.info.format_id, record.tick)
  if (record.kind === 'step') meter.step()
}

/** One percentage for all streams and phases; neither it nor the phase ever goes back. `now` in milliseconds. */
export function createProgressMeter(now: () => number = () => performance.now()): ProgressMeter {
  const streams = new Map<string, Stream>()
  const speed = createSpeedMeter()
  let phase: Phase = 'probing'
  let percent = 0
  let lastArrivalAt = now()

  const enter = (next: Phase): void => {
    if (order.indexOf(next) <= order.indexOf(phase)) return
    phase = next
    speed.reset()
    lastArrivalAt = now()
    advance()
  }
  const advance = (): void => {
    const [start, end] = spans[phase]
    const inside = phase === 'downloading' ? wholeFraction(streams) : 0
    percent = Math.max(percent, start + (end - start) * inside)
  }

  return {
    streams: (list) => {
      const weights = weigh(list)
      list.forEach((raw, index) => {
        const known = streams.get(raw.format_id)
        streams.set(raw.format_id, {
          weight: weights[index] ?? 1,
          fraction: known?.fraction ?? 0,
          downloadedBytes: known?.downloadedBytes ?? 0,
          totalBytes: known?.totalBytes ?? raw.filesize ?? raw.filesize_approx,
          seen: known?.seen ?? false,
        })
      })
      enter('downloading')
    },
    tick: (formatId, raw) => {
      // What nobody has announced is no part of the film: subtitles are fetched before it.
      const stream = streams.get(formatId)
      if (stream === undefined) return
      const fresh = Math.max(0, (raw.downloaded_bytes ?? 0) - stream.downloadedBytes)
      stream.downloadedBytes += fresh
      stream.totalBytes = raw.total_bytes || stream.totalBytes || raw.total_bytes_estimate
      stream.fraction = Math.max(stream.fraction, fractionOf(raw))
      // What an earlier run had fetched comes all at once.
      speed.add(stream.seen ? fresh : 0, now())
      stream.seen = true
      if (fresh > 0) lastArrivalAt = now()
      advance()
    },
    step: () => {
      // Subtitles are prepared before anything is fetched.
      if ([...streams.values()].some(({ seen }) => seen)) enter('processing')
    },
    phase: enter,
    arrived: () => {
      lastArrivalAt = now()
    },
    current: () => {
      const silentMs = phase === 'downloading' ? now() - lastArrivalAt : 0
      return describe(phase, percent, [...streams.values()], speed.current(), silentMs)
    },
  }
}

function weigh(list: readonly RawStream[]): number[] {
  const sizes = list.map(({ filesize, filesize_approx }) => filesize ?? filesize_approx ?? 0)
  if (sizes.every((size) => size > 0)) return sizes
  return list.map(({ vcodec }) => (vcodec === 'none' ? 1 : pictureWeight))
}

function wholeFraction(streams: ReadonlyMap<string, Stream>): number {
  let done = 0
  let all = 0
  for (const { weight, fraction } of streams.values()) {
    done += weight * fraction
    all += weight
  }
  return all === 0 ? 0 : Math.min(1, done / all)
}

/** Estimates wander and may be exceeded; only `finished` is the whole of it. */
function fractionOf(raw: RawTick): number {
  if (raw.status === 'finished') return 1
  const part =
    ratio(raw.downloaded_bytes, raw.total_bytes) ??
    ratio(raw.fragment_index, raw.fragment_count) ??
    ratio(raw.downloaded_bytes, raw.total_bytes_estimate) ??
    0
  return Math.min(0.99, part)
}

function ratio(part: number | undefined, whole: number | undefined): number | undefined {
  return part === undefined || whole === undefined || whole === 0 ? undefined : part / whole
}

function describe(
  phase: Phase,
  percent: number,
  streams: readonly Stream[],
  speed: number | undefined,
  silentMs: number,
): Progress {
  const progress: Progress = { phase, percent: Math.floor(percent * 10) / 10 }
  if (streams.length === 0) return progress
  const downloadedBytes = streams.reduce((sum, stream) => sum + stream.downloadedBytes, 0)
  const known = streams.every(({ totalBytes }) => totalBytes !== undefined && totalBytes > 0)
  const totalBytes = Math.max(
    downloadedBytes,
    streams.reduce((sum, stream) => sum + (stream.totalBytes ?? 0), 0),
  )
  progress.downloadedBytes = Math.round(downloadedBytes)
  if (known && totalBytes >= 1) progress.totalBytes = Math.round(totalBytes)
  if (silentMs >= stallMs) return { ...progress, stalledSeconds: Math.floor(silentMs / 1000) }
  if (speed !== undefined) progress.bytesPerSecond = Math.round(speed)
  if (known && speed !== undefined && speed >= 1)
    progress.etaSeconds = Math.round((totalBytes - downloadedBytes) / speed)
  return progress
}
