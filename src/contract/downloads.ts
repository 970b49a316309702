import * as z from 'zod'

export const qualities = ['best', '2160p', '1440p', '1080p', '720p', '480p', '360p'] as const
export const Quality = z.enum(qualities)
export type Quality = z.output<typeof Quality>

export const videoFormats = ['mp4', 'webm', 'mkv'] as const
export const audioFormats = ['m4a', 'mp3', 'opus'] as const
export const formats = [...videoFormats, ...audioFormats] as const
export const Format = z.enum(formats)
export type Format = z.output<typeof Format>

export const DownloadRequest = z
  .strictObject({
    url: z
      .string()
      .min(1)
      .max(2048)
      .meta({ description: 'A YouTube address, or one on a host the operator allows' }),
    quality: Quality.default('1080p'),
    format: Format.default('mp4'),
  })
  .meta({ id: 'DownloadRequest' })
export type DownloadRequest = z.output<typeof DownloadRequest>

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

/** Why a download failed. The retry policy, the advice and the breaker follow from it. */
export const failureCodes = [
  'bot-check',
  'rate-limited',
  'subtitles-failed',
  'age-restricted',
  'login-required',
  'members-only',
  'private',
  'premium-only',
  'geo-blocked',
  'copyright',
  'account-terminated',
  'removed',
  'live-not-started',
  'live-processing',
  'drm',
  'format-unavailable',
  'client-blocked',
  'extractor-broken',
  'js-runtime-missing',
  'forbidden',
  'not-found',
  'network',
  'server-error',
  'truncated',
  'stalled',
  'killed',
  'no-space',
  'permission',
  'name-too-long',
  'too-large',
  'ffmpeg-missing',
  'ytdlp-missing',
  'ytdlp-outdated',
  'unsupported-url',
  'refused-address',
  'post-processing',
  'skipped',
  'invalid-result',
  'unknown',
] as const
export const FailureCode = z.enum(failureCodes)
export type FailureCode = z.output<typeof FailureCode>

export const Failure = z
  .object({
    code: FailureCode,
    retryable: z.boolean(),
    advice: z.string().optional(),
    retryAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Failure' })
export type Failure = z.output<typeof Failure>

/** How far a job is. `percent` covers all streams and phases and never goes back within one attempt. */
export const Progress = z.object({
  phase: Phase,
  percent: z.number().min(0).max(100),
  downloadedBytes: z.number().nonnegative().optional(),
  totalBytes: z.number().positive().optional(),
  bytesPerSecond: z.number().nonnegative().optional(),
  etaSeconds: z.number().nonnegative().optional(),
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
    availableHeights: z.array(z.int().positive()),
    availableQualities: z.array(Quality),
  })
  .meta({ id: 'VideoMetadata' })
export type VideoMetadata = z.output<typeof VideoMetadata>

export const Download = z
  .object({
    id: z.uuid(),
    url: z.string(),
    videoId: z.string(),
    title: z.string().optional(),
    channel: z.string().optional(),
    durationSeconds: z.number().optional(),
    thumbnail: z.string().optional(),
    quality: Quality,
    format: Format,
    status: DownloadStatus,
    attempt: z.int().positive(),
    progress: z.number().min(0).max(100),
    phase: Phase.optional(),
    downloadedBytes: z.number().optional(),
    totalBytes: z.number().optional(),
    bytesPerSecond: z.number().optional(),
    etaSeconds: z.number().optional(),
    waitingFor: z
      .enum(['downloader', 'slot', 'plex'])
      .optional()
      .meta({ description: 'What an active download waits for, when it waits' }),
    failure: Failure.optional(),
    file: PlacedFile.optional(),
    plex: z.object({ ratingKey: z.string(), url: z.string() }).optional(),
    createdAt: z.iso.datetime(),
    startedAt: z.iso.datetime().optional(),
    endedAt: z.iso.datetime().optional(),
  })
  .meta({ id: 'Download' })
export type Download = z.output<typeof Download>
