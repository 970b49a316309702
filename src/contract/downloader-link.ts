import * as z from 'zod'

import { PlacedFile, Playlist, Progress, VideoMetadata } from './downloads.ts'
import { Failure, FailureCode } from './failures.ts'
import { DownloadExtras, Format, maxPlaylistVideos, Quality } from './options.ts'
import { Selection, Warning } from './selection.ts'

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

/** No more of these are told at once; the others another time. */
export const maxKept = 100

/** Names one admission of one job to one downloader: what comes with an older lease is refused. */
const Leased = { jobId: z.uuid(), lease: z.int().positive() }

export const Job = z.object({
  ...Leased,
  url: z.url({ protocol: /^https?$/ }),
  videoId: z.string().min(1).max(64),
  quality: Quality,
  format: Format,
  extras: DownloadExtras.prefault({}),
  attempt: z.int().positive(),
})
export type Job = z.output<typeof Job>

export const DownloaderVersions = z.object({
  downloader: z.string(),
  node: z.string(),
  ytDlp: z.string().optional(),
  ytDlpAgeDays: z.int().nonnegative().optional(),
  ffmpeg: z.string().optional(),
  jsRuntime: z.string().optional(),
  challengeSolver: z.string().optional(),
})

export type DownloaderVersions = z.output<typeof DownloaderVersions>

/** What keeps a downloader from doing its work, in the operator's words. */
export const downloaderTroubles = [
  'ytdlp-missing',
  'ytdlp-outdated',
  'ytdlp-old',
  'ffmpeg-missing',
  'js-runtime-unsupported',
  'formats-missing',
  'library-not-writable',
  'low-space',
  'other',
] as const

// A newer downloader may know more of these than this side: what it says besides must still be heard.
const SaidTrouble = z.enum(downloaderTroubles).catch('other')
const SaidFailure = Failure.extend({ code: FailureCode.catch('unknown') })
const SaidWarning = Warning.extend({ code: Warning.shape.code.catch('finished-with-errors') })

/**
 * A site this downloader leaves alone for now. Durations, as clocks differ. After a `bot-check` or `rate-limited` the
 * first job for the site goes alone, as a canary: the entry stays, with nothing left to wait, until one has succeeded.
 */
export const RestingSite = z.object({
  site: z.string().min(1).max(255).meta({ description: 'As `siteOf` names it' }),
  reason: z.enum(['pace', 'rate-limited', 'bot-check']),
  waitMs: z.int().nonnegative(),
})
export type RestingSite = z.output<typeof RestingSite>

export const DownloaderState = z.object({
  freeBytes: z.int().nonnegative(),
  troubles: z.array(SaidTrouble),
  sites: z.array(RestingSite).max(50).optional(),
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
  /** Jobs it does not hold, of which it keeps what it had fetched. */
  kept: z.array(z.uuid()).max(maxKept).optional(),
})

const Accepted = z.object({ type: z.literal('accepted'), ...Leased })
const Declined = z.object({
  type: z.literal('declined'),
  ...Leased,
  reason: z.enum(['no-slot', 'no-space', 'site', 'stopping']),
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
    selection: Selection.optional(),
    warnings: z.array(SaidWarning).optional(),
  }),
  z.object({
    kind: z.literal('failed'),
    failure: SaidFailure,
    /** With `no-space`: how much must be free before it is worth another try. */
    neededBytes: z.int().positive().optional(),
  }),
  z.object({ kind: z.literal('cancelled') }),
  /** Given back unfinished, as when the downloader shuts down; costs the job no attempt. */
  z.object({ kind: z.literal('returned') }),
])
export type Outcome = z.output<typeof Outcome>

/** Kept in the downloader's outbox and said again until `acknowledged`. */
const Result = z.object({ type: z.literal('result'), ...Leased, outcome: Outcome })

const StateChanged = z.object({
  type: z.literal('state'),
  state: DownloaderState,
  /** Said again when a program was replaced since the greeting. */
  versions: DownloaderVersions.optional(),
})

const Answer = z.object({
  type: z.literal('answer'),
  requestId: z.uuid(),
  answer: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('metadata'), metadata: VideoMetadata }),
    z.object({ kind: z.literal('playlist'), playlist: Playlist }),
    z.object({ kind: z.literal('failed'), failure: SaidFailure }),
    /** Too much was asked of it, or of the site, to say anything in time: when it is worth asking again. */
    z.object({ kind: z.literal('busy'), waitMs: z.int().nonnegative() }),
  ]),
})

/** Answers `remove`, as often as it is said. */
const Removed = z.object({
  type: z.literal('removed'),
  jobId: z.uuid(),
  /** `refused`: what lies there is not the file that was meant. */
  outcome: z.enum(['removed', 'absent', 'refused', 'failed']),
  /** The nearest folder that is left, as the Plex server sees it. */
  plexFolder: z.string().optional(),
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
  Removed,
])
export type FromDownloader = z.output<typeof FromDownloader>

export const ToDownloader = z.discriminatedUnion('type', [
  /**
   * Answers `hello`; jobs in `drop` go on without this downloader, which must stop them without a result. Held jobs that
   * are over altogether are cancelled one by one: the result that comes of it says what is left of them.
   */
  z.object({ type: z.literal('welcome'), drop: z.array(z.uuid()) }),
  z.object({ type: z.literal('offer'), job: Job }),
  z.object({ type: z.literal('cancel'), ...Leased }),
  /** The result is stored (or its lease was stale): the outbox may forget it. */
  z.object({ type: z.literal('acknowledged'), ...Leased }),
  z.object({
    type: z.literal('ask'),
    requestId: z.uuid(),
    /** For how long the answer is waited for. */
    timeoutMs: z.int().positive().default(30_000),
    question: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('metadata'), url: z.url() }),
      z.object({
        kind: z.literal('playlist'),
        url: z.url(),
        limit: z.int().min(1).max(maxPlaylistVideos),
      }),
    ]),
  }),
  /** Takes the file that was placed for a job out of the library, and all that was placed with it. */
  z.object({ type: z.literal('remove'), jobId: z.uuid(), plexPath: z.string(), file: PlacedFile }),
])
export type ToDownloader = z.output<typeof ToDownloader>

/** The name of the site an address belongs to, by which sites are paced and rested: its host, YouTube’s all as one. */
export function siteOf(url: string): string {
  const host = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]+)/i.exec(url)?.[1]?.toLowerCase() ?? 'unknown'
  return /(?:^|\.)(?:youtube\.com|youtu\.be)$/.test(host) ? 'youtube.com' : host.replace(/^www\./, '')
}

/** Parses a frame of the link; `undefined` when it is not one. */
export function parseFrame<T>(schema: z.ZodType<T>, data: unknown): T | undefined {
  if (typeof data !== 'string') return undefined
  try {
    return schema.safeParse(JSON.parse(data)).data
  } catch {
    return undefined
  }
}
