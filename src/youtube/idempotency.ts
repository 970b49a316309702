import * as z from 'zod'

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

/** The id of what a user asks for under a key: a UUID of version 8, the same for the same request. */
export async function idOf(userId: string, key: string, ...parts: readonly string[]): Promise<string> {
  const name = new TextEncoder().encode(JSON.stringify([userId, key, ...parts]))
  const bytes = new DataView(await crypto.subtle.digest('SHA-256', name), 0, 16)
  bytes.setUint8(6, (bytes.getUint8(6) & 0x0f) | 0x80)
  bytes.setUint8(8, (bytes.getUint8(8) & 0x3f) | 0x80)
  const hex = new Uint8Array(bytes.buffer, 0, 16).toHex()
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
}
