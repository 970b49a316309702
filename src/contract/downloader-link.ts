import * as z from 'zod'

import { Failure, Format, PlacedFile, Progress, Quality, VideoMetadata } from './downloads.ts'

/**
 * What the Worker and a downloader say to each other over the downloader's outbound WebSocket. Both sides parse
 * with these. A side ignores members it does not know, so that the other may be newer.
 *
 * The text frame `ping` is answered `pong` without waking the queue, and counts as a sign of life.
 */
export const linkProtocol = 1

export const pingFrame = 'ping'
export const pongFrame = 'pong'

/** A downloader says `ping` this often. */
export const pingIntervalMs = 15_000
/** Silence for this long, and the downloader's jobs go to another. */
export const leaseMs = 60_000

/** Names one admission of one job to one downloader: what comes with an older lease is refused. */
const Leased = { jobId: z.uuid(), lease: z.int().positive() }

export const Job = z.object({
  ...Leased,
  url: z.url({ protocol: /^https?$/ }),
  videoId: z.string().min(1).max(64),
  quality: Quality,
  format: Format,
  attempt: z.int().positive(),
})
export type Job = z.output<typeof Job>

export const DownloaderVersions = z.object({
  downloader: z.string(),
  node: z.string(),
  ytDlp: z.string().optional(),
  ffmpeg: z.string().optional(),
})

/** What keeps a downloader from doing its work, in the operator's words. */
export const downloaderTroubles = [
  'ytdlp-missing',
  'ytdlp-outdated',
  'ffmpeg-missing',
  'js-runtime-unsupported',
  'library-not-writable',
  'low-space',
] as const

export const DownloaderState = z.object({
  freeBytes: z.int().nonnegative(),
  troubles: z.array(z.enum(downloaderTroubles)),
})
export type DownloaderState = z.output<typeof DownloaderState>

const Hello = z.object({
  type: z.literal('hello'),
  protocol: z.int().positive(),
  downloaderId: z.string().regex(/^[\w-]{1,64}$/),
  versions: DownloaderVersions,
  slots: z.int().min(1).max(32),
  state: DownloaderState,
  /** Jobs it still holds from before the connection was lost, and results not yet acknowledged. */
  holding: z.array(z.object(Leased)),
})

const Accepted = z.object({ type: z.literal('accepted'), ...Leased })
const Declined = z.object({
  type: z.literal('declined'),
  ...Leased,
  reason: z.enum(['no-slot', 'no-space', 'stopping']),
})
/** The probe's findings, once per attempt. */
const Started = z.object({ type: z.literal('started'), ...Leased, metadata: VideoMetadata })
const Progressed = z.object({ type: z.literal('progress'), ...Leased, progress: Progress })

export const Outcome = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('completed'),
    file: PlacedFile,
    /** The placed file as the Plex server sees it. */
    plexPath: z.string(),
  }),
  z.object({ kind: z.literal('failed'), failure: Failure }),
  z.object({ kind: z.literal('cancelled') }),
  /** Given back unfinished, as when the downloader shuts down; costs the job no attempt. */
  z.object({ kind: z.literal('returned') }),
])
export type Outcome = z.output<typeof Outcome>

/** Kept in the downloader's outbox and said again until `acknowledged`. */
const Result = z.object({ type: z.literal('result'), ...Leased, outcome: Outcome })

const StateChanged = z.object({ type: z.literal('state'), state: DownloaderState })

const Answer = z.object({
  type: z.literal('answer'),
  requestId: z.uuid(),
  answer: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('metadata'), metadata: VideoMetadata }),
    z.object({ kind: z.literal('failed'), failure: Failure }),
  ]),
})

export const FromDownloader = z.discriminatedUnion('type', [
  Hello,
  Accepted,
  Declined,
  Started,
  Progressed,
  Result,
  StateChanged,
  Answer,
])
export type FromDownloader = z.output<typeof FromDownloader>

export const ToDownloader = z.discriminatedUnion('type', [
  /** Answers `hello`; jobs in `drop` are no longer the downloader's and must stop without a result. */
  z.object({ type: z.literal('welcome'), drop: z.array(z.uuid()) }),
  z.object({ type: z.literal('offer'), job: Job }),
  z.object({ type: z.literal('cancel'), ...Leased }),
  /** The result is stored (or its lease was stale): the outbox may forget it. */
  z.object({ type: z.literal('acknowledged'), ...Leased }),
  z.object({
    type: z.literal('ask'),
    requestId: z.uuid(),
    question: z.object({ kind: z.literal('metadata'), url: z.url() }),
  }),
])
export type ToDownloader = z.output<typeof ToDownloader>

/** Parses a frame of the link; `undefined` when it is not one. */
export function parseFrame<T>(schema: z.ZodType<T>, data: unknown): T | undefined {
  if (typeof data !== 'string') return undefined
  try {
    return schema.safeParse(JSON.parse(data)).data
  } catch {
    return undefined
  }
}
