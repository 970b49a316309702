import * as z from 'zod'

import { digestOf } from './digest.ts'

export const IdempotencyHeader = z.object({
  'Idempotency-Key': z
    .string()
    .regex(/^[\x21-\x7E]{1,255}$/, 'must be 1 to 255 visible ASCII characters')
    .optional()
    .meta({
      description:
        'Of your own choice, new for each request that is meant: a request that is repeated with its key has the answer of the first, and is charged once',
    }),
})

/** What the ids of all that a user asks for under a key begin with, and no others do. */
export async function stemOf(userId: string, key: string): Promise<string> {
  const hex = await digestOf(JSON.stringify([userId, key]))
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-`
}

/** The id of what a user asks for under a key: a UUID of version 8, the same for the same request. */
export async function idOf(userId: string, key: string, ...parts: readonly string[]): Promise<string> {
  const hex = await digestOf(JSON.stringify([userId, key, ...parts]))
  // Its variant is in the two highest bits of this digit.
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0b0011) | 0b1000).toString(16)
  const ending = [`8${hex.slice(13, 16)}`, `${variant}${hex.slice(17, 20)}`, hex.slice(20, 32)].join('-')
  return (await stemOf(userId, key)) + ending
}
