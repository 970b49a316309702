import * as z from 'zod'

import { Item } from './schema.ts'

/** Where somebody is and with what address is nobody's business: there is no field for it. */
export const PlaySession = z
  .object({
    id: z.string(),
    user: z.object({ id: z.string(), name: z.string().optional() }),
    item: Item.optional().meta({ description: 'Absent for what is in no library' }),
    state: z.enum(['playing', 'paused', 'buffering', 'unknown']),
    positionMs: z.int().nonnegative().optional(),
    progressPercent: z.number().min(0).max(100).optional(),
    player: z.object({
      name: z.string().optional(),
      product: z.string().optional(),
      platform: z.string().optional(),
    }),
    network: z.enum(['local', 'remote']).optional(),
    bandwidthKbps: z.int().nonnegative().optional(),
    transcoding: z
      .object({
        video: z.string().optional(),
        audio: z.string().optional(),
        speed: z.number().optional(),
        progressPercent: z.number().optional(),
      })
      .optional()
      .meta({ description: 'Absent when the file is sent as it is' }),
  })
  .meta({ id: 'PlaySession' })
export type PlaySession = z.output<typeof PlaySession>

export const SessionsBody = z.object({ data: z.array(PlaySession), meta: z.object({ count: z.int() }) })
