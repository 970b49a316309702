import type { Phase, Progress } from '#contract/downloads.ts'
import type { RawStream, RawTick } from './records.ts'

type Stream = {
  weight: number
  fraction: number
  downloadedBytes: number
  totalBytes: number | undefined
}

export type ProgressMeter = {
  /** What is about to be fetched: one stream, or a picture and a sound to be merged. */
  readonly streams: (streams: readonly RawStream[]) => void
  readonly tick: (formatId: string, tick: RawTick) => void
  readonly phase: (phase: Phase) => void
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

/** One percentage for all streams and phases; neither it nor the phase ever goes back. */
export function createProgressMeter(): ProgressMeter {
  const streams = new Map<string, Stream>()
  let phase: Phase = 'probing'
  let percent = 0
  let speed: number | undefined
  let eta: number | undefined

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
        })
      })
    },
    tick: (formatId, raw) => {
      if (phase === 'probing') phase = 'downloading'
      const stream = streams.get(formatId) ?? {
        weight: 1,
        fraction: 0,
        downloadedBytes: 0,
        totalBytes: undefined,
      }
      streams.set(formatId, stream)
      stream.downloadedBytes = Math.max(stream.downloadedBytes, raw.downloaded_bytes ?? 0)
      stream.totalBytes = raw.total_bytes || stream.totalBytes || raw.total_bytes_estimate
      stream.fraction = Math.max(stream.fraction, fractionOf(raw))
      speed = raw.speed
      eta = raw.eta
      advance()
    },
    phase: (next) => {
      if (order.indexOf(next) <= order.indexOf(phase)) return
      phase = next
      speed = undefined
      eta = undefined
      advance()
    },
    current: () => describe(phase, percent, [...streams.values()], speed, eta),
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
  eta: number | undefined,
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
  if (known) progress.totalBytes = Math.round(totalBytes)
  if (speed !== undefined) progress.bytesPerSecond = Math.round(speed)
  const left = known && speed ? (totalBytes - downloadedBytes) / speed : eta
  if (left !== undefined) progress.etaSeconds = Math.round(left)
  return progress
}
