import * as z from 'zod'

import { DownloaderVersions, RestingSite } from '#contract/downloader-link.ts'
import { Download, VideoMetadata } from '#contract/downloads.ts'
import { HealthStatus } from '#contract/health.ts'

export const MetadataQuery = z.strictObject({ url: z.string().min(1).max(2048) })
export const DownloadParam = z.object({ id: z.uuid() })
export const NoQuery = z.strictObject({})

export const MetadataBody = z.object({ data: VideoMetadata })
export const DownloadBody = z.object({ data: Download })
export const QuotaBody = z.object({
  data: z.object({
    used: z.int(),
    limit: z.int(),
    remaining: z.int(),
    windowSeconds: z.int(),
    canDownload: z.boolean(),
    resetAt: z.iso.datetime().optional().meta({ description: 'When one more is left' }),
    storage: z.object({
      usedBytes: z.int().meta({ description: 'What one’s own files in the library take' }),
      limitBytes: z.int().optional(),
      isFull: z.boolean().meta({ description: 'One’s own limit is reached, or that of all together' }),
    }),
  }),
})

const Downloader = z.object({
  id: z.string().optional(),
  slots: z.int(),
  busy: z.int(),
  freeBytes: z.int().optional(),
  troubles: z.array(z.string()),
  restingSites: z
    .array(RestingSite.pick({ site: true, reason: true }))
    .meta({ description: 'Sites that it leaves alone for now' }),
  versions: DownloaderVersions,
})
export const YoutubeHealthBody = z.object({
  data: z.object({
    status: HealthStatus,
    service: z.literal('YouTube downloads'),
    ytDlpAvailable: z.boolean(),
    downloadersConnected: z.int(),
    paused: z.boolean().optional(),
    queued: z.int().optional(),
    downloaders: z
      .array(Downloader)
      .optional()
      .meta({ description: 'For signed-in users; ids and space for admins' }),
  }),
})
