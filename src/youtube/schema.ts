import * as z from 'zod'

import { Download, DownloadStatus, VideoMetadata } from '#contract/downloads.ts'
import { HealthStatus } from '#contract/health.ts'

export const MetadataQuery = z.strictObject({ url: z.string().min(1).max(2048) })
export const DownloadParam = z.object({ id: z.uuid() })
export const ListQuery = z.strictObject({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  status: DownloadStatus.optional(),
})
export const NoQuery = z.strictObject({})

export const MetadataBody = z.object({ data: VideoMetadata })
export const DownloadBody = z.object({ data: Download })
export const DownloadsBody = z.object({
  data: z.array(Download),
  meta: z.object({ page: z.int(), limit: z.int(), total: z.int(), totalPages: z.int() }),
})
export const QuotaBody = z.object({
  data: z.object({
    used: z.int(),
    limit: z.int(),
    remaining: z.int(),
    windowSeconds: z.int(),
    canDownload: z.boolean(),
    resetAt: z.iso.datetime().optional(),
  }),
})

const Downloader = z.object({
  id: z.string().optional(),
  slots: z.int(),
  busy: z.int(),
  freeBytes: z.int().optional(),
  troubles: z.array(z.string()),
  versions: z.object({
    downloader: z.string(),
    node: z.string(),
    ytDlp: z.string().optional(),
    ffmpeg: z.string().optional(),
  }),
})
export const YoutubeHealthBody = z.object({
  data: z.object({
    status: HealthStatus,
    service: z.literal('YouTube downloads'),
    ytDlpAvailable: z.boolean(),
    downloadersConnected: z.int(),
    queued: z.int().optional(),
    downloaders: z
      .array(Downloader)
      .optional()
      .meta({ description: 'For signed-in users; ids and space for admins' }),
  }),
})
