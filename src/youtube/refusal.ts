import * as z from 'zod'

import type { Problem } from '#contract/problem.ts'
import { problemCodes } from '#contract/problems.ts'

/** Why something would be refused, or was, within an answer that says other things as well. */
export const refusal = {
  problem: z.enum(problemCodes).optional(),
  reason: z
    .string()
    .optional()
    .meta({ description: 'Why the video cannot be fetched, or not at the moment' }),
  advice: z.string().optional(),
  retryAt: z.iso
    .datetime()
    .optional()
    .meta({ description: 'When it is worth asking again, if that is known' }),
}
const Refusal = z.object(refusal)
export type Refusal = z.output<typeof Refusal>

const Told = z.object({
  reason: z.string().optional(),
  advice: z.string().optional(),
  retryAt: z.iso.datetime().optional(),
  retryAfter: z.int().optional(),
})

export function refusalOf({ code, members }: Problem, now: number): Refusal {
  const { retryAfter, retryAt, ...told } = Told.parse(members)
  const at = retryAfter === undefined ? retryAt : new Date(now + retryAfter * 1000).toISOString()
  return { problem: code, ...told, ...(at !== undefined && { retryAt: at }) }
}
