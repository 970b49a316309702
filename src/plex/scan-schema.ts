import * as z from 'zod'

import { scanOutcomes } from '#contract/live.ts'

import { hasDots, isAbsolute } from './location.ts'

/** As it stands in an address, which PMS takes up to eight kilobytes of. */
const lengthAsSent = (text: string) => new URLSearchParams({ path: text }).toString().length

const path = z
  .string()
  .min(1)
  .max(1024)
  .refine((text) => isAbsolute(text) && !hasDots(text), 'must be a whole path without dots')
  // oxlint-disable-next-line no-control-regex -- no file has them, and no log wants them
  .refine((text) => !/[\u0000-\u001f\u007f]/.test(text), 'must not hold control characters')
  .refine((text) => lengthAsSent(text) <= 6_000, 'is too long')

export const RefreshLibrary = z
  .strictObject({
    path: path.optional().meta({ description: 'A folder inside the library, as the Plex server sees it' }),
    force: z.boolean().optional().meta({
      description: 'Has Plex read everything about every item anew, which takes hours; needs `confirm`',
    }),
    confirm: z.string().max(256).optional().meta({ description: 'With `force`: the title of the library' }),
  })
  .refine(({ force, confirm }) => force !== true || confirm !== undefined, {
    path: ['confirm'],
    error: 'must be the title of the library',
  })

export const ScanPath = z.strictObject({
  path: path.meta({ description: 'A folder, or a file in it, in any library' }),
})

export const ScanParam = z.object({ id: z.uuid() })

export const QueuedBody = z.object({
  data: z.object({
    scanId: z.uuid(),
    libraryKey: z.string().optional(),
    path: z.string().optional().meta({ description: 'The folder to be scanned, as the Plex server sees it' }),
    state: z.literal('queued'),
  }),
})

export const scanStates = ['queued', 'scanning', 'looking', ...scanOutcomes] as const

export const Scan = z
  .object({
    id: z.uuid(),
    state: z.enum(scanStates).meta({
      description:
        '`looking`: Plex has finished, and what was waited for is looked for. `scanned`: nothing in particular was',
    }),
    libraryKey: z.string().optional(),
    path: z.string().optional(),
    force: z.boolean(),
    requests: z.int().positive().meta({ description: 'How many times it was asked for' }),
    requestedAt: z.iso.datetime(),
    startsAt: z.iso.datetime().optional().meta({ description: 'Not before then, unless asked for again' }),
    attempts: z.int().optional().meta({ description: 'How often Plex could not be told' }),
    progressPercent: z.int().min(0).max(100).optional().meta({ description: 'As Plex says it' }),
    endedAt: z.iso.datetime().optional(),
    files: z
      .object({ awaited: z.int(), seen: z.int() })
      .optional()
      .meta({ description: 'Files that somebody waits for' }),
  })
  .meta({ id: 'Scan' })
export type Scan = z.output<typeof Scan>

export const ScansBody = z.object({ data: z.array(Scan), meta: z.object({ count: z.int() }) })
export const ScanBody = z.object({ data: Scan })
