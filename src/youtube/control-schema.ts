import * as z from 'zod'

import { DownloaderVersions, RestingSite } from '#contract/downloader-link.ts'
import { FailureCode } from '#contract/failures.ts'

import { listOf, Scope } from './history-schema.ts'

export const RetryFailedQuery = z.strictObject({
  scope: Scope,
  code: listOf(FailureCode).optional().meta({
    description:
      'Failed with one of these codes, separated by commas; else all but those where the video or the request is to blame',
  }),
})

export const RetriedBody = z.object({
  data: z.array(
    z.object({
      downloadId: z.uuid(),
      videoId: z.string(),
      title: z.string().optional(),
      outcome: z.enum(['queued', 'not-failed']),
    }),
  ),
  meta: z.object({ count: z.int() }),
})

export const RemoveQuery = z.strictObject({
  file: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true')
    .meta({ description: 'Whether the file leaves the library too' }),
})

export const RemovedBody = z.object({
  data: z.object({
    record: z.boolean().meta({ description: 'Whether the download has left the history' }),
    file: z.enum(['removing', 'kept-for-others', 'none']).meta({
      description:
        '`removing`: it goes as soon as its downloader is there; `none`: nothing happens to any file',
    }),
  }),
})

export const Protection = z.strictObject({ protected: z.boolean() })

export const RetentionRequest = z.strictObject({
  dryRun: z.boolean().default(true),
  maxAgeDays: z.number().positive().max(36_500).optional(),
  maxBytes: z.int().nonnegative().optional(),
})

export const RetentionBody = z.object({
  data: z.object({
    dryRun: z.boolean(),
    removed: z.array(
      z.object({
        downloadId: z.uuid(),
        title: z.string().optional(),
        bytes: z.int(),
        reason: z.enum(['age', 'space']),
      }),
    ),
    freedBytes: z.int(),
    keptBytes: z.int(),
    later: z.int().meta({ description: 'Files that are left for further rounds' }),
    stuck: z.int().meta({
      description:
        'Files that their downloader has refused to take away, as the log says: somebody has to look',
    }),
  }),
})

export const PausedBody = z.object({ data: z.object({ paused: z.boolean() }) })

export const QueueBody = z.object({
  data: z.object({
    paused: z.boolean(),
    waiting: z.int(),
    running: z.int(),
    scanning: z.int(),
    removals: z.int().meta({ description: 'Files that their downloader has still to take away' }),
    downloaders: z.array(
      z.object({
        id: z.string(),
        slots: z.int(),
        busy: z.int(),
        freeBytes: z.int(),
        troubles: z.array(z.string()),
        sites: z.array(
          z.object({
            site: z.string(),
            reason: RestingSite.shape.reason,
            waitSeconds: z.int(),
          }),
        ),
        versions: DownloaderVersions,
      }),
    ),
  }),
})
