import * as z from 'zod'

import { Download, DownloadStatus } from '#contract/downloads.ts'
import { FailureCode } from '#contract/failures.ts'
import { Quality } from '#contract/options.ts'

const Instant = z.union([z.iso.date(), z.iso.datetime({ offset: true })])
const startOf = (instant: string): string => new Date(instant).toISOString()
const endOf = (instant: string): string =>
  new Date(instant.includes('T') ? instant : `${instant}T23:59:59.999Z`).toISOString()
/** Times are compared as text, which a year of more or fewer than four digits would upset. */
const AsStored = z.iso.datetime()

/** One or several of them, separated by commas; each counts once, however often it is named. */
export const listOf = <T extends string>(values: z.ZodType<T, string>) =>
  z
    .string()
    .max(1_000)
    .transform((text) => [...new Set(text.split(','))])
    .pipe(z.array(values))

export const Scope = z.enum(['own', 'all']).default('own').meta({ description: '`all`: for admins' })

export const ListQuery = z.strictObject({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(20),
  scope: Scope,
  q: z.string().trim().min(1).max(100).optional().meta({
    description: 'Part of the title, of the channel or of the video’s id, in small or capital letters',
  }),
  status: listOf(DownloadStatus)
    .optional()
    .meta({ description: `One or several, separated by commas: ${DownloadStatus.options.join(', ')}` }),
  from: Instant.transform(startOf)
    .pipe(AsStored)
    .optional()
    .meta({ description: 'Asked for no earlier; a date begins at midnight UTC' }),
  to: Instant.transform(endOf)
    .pipe(AsStored)
    .optional()
    .meta({ description: 'Asked for no later; a date is meant to its end' }),
})

export const DownloadsBody = z.object({
  data: z.array(Download),
  meta: z.object({ page: z.int(), limit: z.int(), total: z.int(), totalPages: z.int() }),
})

export const StatsQuery = z.strictObject({
  scope: Scope,
  days: z.coerce.number().int().min(1).max(90).default(30),
})

const Counts = z.object({
  queued: z.int(),
  running: z.int(),
  retrying: z.int(),
  scanning: z.int(),
  completed: z.int(),
  failed: z.int(),
  cancelled: z.int(),
} satisfies Record<DownloadStatus, z.ZodType>)

export const StatsBody = z.object({
  data: z.object({
    scope: z.enum(['own', 'all']),
    days: z.int(),
    total: z.int(),
    byStatus: Counts,
    bytes: z.int().meta({ description: 'Of all files that were fetched, shared ones counted once' }),
    libraryBytes: z.int().meta({ description: 'Of those that are still in the library' }),
    successRate: z
      .number()
      .min(0)
      .max(1)
      .optional()
      .meta({ description: 'Completed out of completed and failed; absent when there are none' }),
    medianSeconds: z
      .number()
      .nonnegative()
      .optional()
      .meta({ description: 'From asked for to completed; downloads that share a file do not count' }),
    byQuality: z.array(z.object({ quality: Quality, count: z.int(), bytes: z.int() })),
    byDay: z
      .array(
        z.object({
          day: z.iso.date(),
          accepted: z.int(),
          completed: z.int(),
          failed: z.int(),
          bytes: z.int(),
        }),
      )
      .meta({ description: 'In UTC, oldest first, days without any downloads too' }),
    failures: z.array(z.object({ code: FailureCode, count: z.int() })),
  }),
})
