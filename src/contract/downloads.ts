import * as z from 'zod'

import { Failure } from './failures.ts'
import { DownloadExtras, Format, Quality } from './options.ts'
import { Offer, Selection, Warning } from './selection.ts'

export const downloadStatuses = [
  'queued',
  'running',
  'retrying',
  'scanning',
  'completed',
  'failed',
  'cancelled',
] as const
export const DownloadStatus = z.enum(downloadStatuses)
export type DownloadStatus = z.output<typeof DownloadStatus>

/** What is not over yet; a user has at most one of these per video. */
const activeStatuses = ['queued', 'running', 'retrying', 'scanning'] as const satisfies DownloadStatus[]

export const isActive = (status: DownloadStatus): boolean =>
  (activeStatuses as readonly DownloadStatus[]).includes(status)

export const Phase = z.enum(['probing', 'downloading', 'processing', 'placing'])
export type Phase = z.output<typeof Phase>

/** How far a job is. `percent` covers all streams and phases and never goes back within one attempt. */
export const Progress = z.object({
  phase: Phase,
  percent: z.number().min(0).max(100),
  downloadedBytes: z.number().nonnegative().optional(),
  totalBytes: z.number().positive().optional(),
  bytesPerSecond: z.number().nonnegative().optional().meta({ description: 'Smoothed over some seconds' }),
  etaSeconds: z.number().nonnegative().optional(),
  stalledSeconds: z
    .int()
    .positive()
    .optional()
    .meta({ description: 'Present while nothing arrives: for how long already' }),
})
export type Progress = z.output<typeof Progress>

/** What the proof of success recorded about the file that was placed. */
export const PlacedFile = z.object({
  name: z.string().meta({ description: 'File name without its folder' }),
  bytes: z.int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
  durationSeconds: z.number().positive().optional(),
  heightPixels: z.int().positive().optional(),
  videoCodec: z.string().optional(),
  audioCodec: z.string().optional(),
  subtitles: z.array(z.string()).optional().meta({ description: 'Languages, in the file or beside it' }),
})
export type PlacedFile = z.output<typeof PlacedFile>

export const VideoMetadata = z
  .object({
    id: z.string(),
    title: z.string(),
    channel: z.string().optional(),
    durationSeconds: z.number().nonnegative().optional(),
    thumbnail: z.url().optional(),
    description: z.string().optional(),
    uploadDate: z.iso.date().optional(),
    viewCount: z.int().nonnegative().optional(),
    live: z.enum(['live', 'upcoming', 'was-live', 'processing']).optional(),
    startsAt: z.iso.datetime().optional().meta({ description: 'When an upcoming broadcast is to begin' }),
    availability: z
      .enum(['public', 'unlisted', 'private', 'premium-only', 'members-only', 'login-required'])
      .optional(),
    availableHeights: z.array(z.int().positive()),
    availableQualities: z.array(Quality),
    offers: z
      .array(Offer)
      .max(60)
      .optional()
      .meta({ description: 'Best first, one of each height and codec' }),
    subtitles: z
      .array(z.object({ language: z.string(), name: z.string().optional(), automatic: z.boolean() }))
      .max(300)
      .optional(),
    chapters: z
      .array(z.object({ title: z.string(), startSeconds: z.number(), endSeconds: z.number() }))
      .max(300)
      .optional(),
  })
  .meta({ id: 'VideoMetadata' })
export type VideoMetadata = z.output<typeof VideoMetadata>

/** What a playlist holds, as far as it was looked at. */
export const Playlist = z
  .object({
    id: z.string(),
    title: z.string().optional(),
    totalVideos: z.int().nonnegative().optional(),
    videos: z.array(
      z.object({
        url: z.string(),
        title: z.string().optional(),
        durationSeconds: z.number().optional(),
        unavailable: z.enum(['private', 'removed']).optional(),
      }),
    ),
  })
  .meta({ id: 'Playlist' })
export type Playlist = z.output<typeof Playlist>

/** What an active download waits for, when it waits. `twin`: somebody else’s download of the same. */
export const waitReasons = ['downloader', 'slot', 'site', 'space', 'resume', 'twin', 'retry', 'plex'] as const

export const Download = z
  .object({
    id: z.uuid(),
    userId: z.string().optional().meta({ description: 'Who asked for it; for admins' }),
    url: z.string(),
    videoId: z.string(),
    title: z.string().optional(),
    channel: z.string().optional(),
    durationSeconds: z.number().optional(),
    thumbnail: z.string().optional(),
    quality: Quality,
    format: Format,
    extras: DownloadExtras,
    playlistId: z.string().optional(),
    collection: z.string().optional(),
    status: DownloadStatus,
    attempt: z.int().positive(),
    progress: z.number().min(0).max(100),
    phase: Phase.optional(),
    downloadedBytes: z.number().optional(),
    totalBytes: z.number().optional(),
    bytesPerSecond: z.number().optional(),
    etaSeconds: z.number().optional(),
    stalledSeconds: z.int().optional(),
    waitingFor: z.enum(waitReasons).optional(),
    waitingUntil: z.iso.datetime().optional().meta({ description: 'When it goes on, if that is known' }),
    failure: Failure.optional(),
    file: PlacedFile.optional(),
    selection: Selection.optional(),
    warnings: z.array(Warning).optional(),
    plex: z.object({ ratingKey: z.string(), url: z.string() }).optional(),
    shared: z.literal(true).optional().meta({ description: 'The file was there already: somebody else’s' }),
    protected: z.literal(true).optional().meta({ description: 'Retention leaves its file alone' }),
    removedAt: z.iso
      .datetime()
      .optional()
      .meta({ description: 'When its file was taken out of the library' }),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().optional(),
    endedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Download' })
export type Download = z.output<typeof Download>
