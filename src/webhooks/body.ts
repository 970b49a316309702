import type * as z from 'zod'

import { Problem } from '#contract/problem.ts'

/** The body's bytes, or `too-large` as soon as there are more than that, with the rest left unread. */
export async function readBody(
  body: ReadableStream<Uint8Array> | null,
  maxBytes: number,
): Promise<Uint8Array | 'too-large'> {
  const chunks: Uint8Array[] = []
  let length = 0
  const reader = body?.getReader()
  for (;;) {
    const chunk = await reader?.read().catch(() => {
      throw malformed('The body ended early')
    })
    if (!chunk || chunk.done) break
    length += chunk.value.length
    if (length > maxBytes) {
      // The sender may be gone already, which is no failure of ours.
      await reader?.cancel().catch(() => undefined)
      return 'too-large'
    }
    chunks.push(chunk.value)
  }
  const bytes = new Uint8Array(length)
  let offset = 0
  for (const chunk of chunks) {
    bytes.set(chunk, offset)
    offset += chunk.length
  }
  return bytes
}

/** Whether the body says itself that it is too large; it may also lie, so this only saves reading it. */
export function declaresMore(contentLength: string | undefined, maxBytes: number): boolean {
  return contentLength !== undefined && Number(contentLength) > maxBytes
}

export function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes)
  } catch {
    throw malformed('The body is not UTF-8 text')
  }
}

/** The body as the schema reads it. Schemas here are lenient: they fail on what is no JSON object at all. */
export function readJson<S extends z.ZodObject>(text: string, schema: S): z.output<S> {
  const result = schema.safeParse(parseJson(text))
  if (!result.success) throw malformed('The body is not a JSON object')
  return result.data
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw malformed('The body is not valid JSON')
  }
}

export function malformed(detail: string, pointer = 'json#/'): Problem<'invalid-request'> {
  return new Problem('invalid-request', { members: { errors: [{ pointer, detail }] } })
}
