import type { Context } from 'hono'

import type { AppEnv, Caller } from './env.ts'
import { opaque, type OpaqueResponse } from './operation.ts'

/** What a service needs to know about the request it answers. */
export type Asked = { readonly caller: Caller; readonly background: Background }

/** Runs on after the answer was sent. */
export type Background = (work: Promise<unknown>) => void

export type CachedRead = {
  /** Names the answer within its scope. */
  readonly name: string
  /** Whose answer it is; nobody else's request is ever answered with it. */
  readonly scope: string
  readonly ttlMs: number
  /** Whose changes make it old: a library's by its key, those of `any` library, or `never`. */
  readonly changesWith: string
  /** The one library that the answer, now that it is there, is all of: then it grows old with that one alone. */
  readonly narrowed?: (value: unknown) => string | undefined
  /** The last change that who asks has made: an answer from before it is old. */
  readonly since?: number
  readonly load: () => Promise<unknown>
  readonly background: Background
}

/** Port of the answer cache. */
export type AnswerCache = { read(read: CachedRead): Promise<CachedAnswer> }

/** A stored answer, ready to be sent: the body is the serialised JSON itself. */
export type CachedAnswer = {
  readonly body: string
  readonly etag: string
  readonly state: 'HIT' | 'STALE' | 'MISS'
  readonly ageSeconds: number
  readonly freshForSeconds: number
}

/** Sends a read with its validators, so that a client can revalidate and see how old it is. */
export function cachedResponse(c: Context<AppEnv>, answer: CachedAnswer): OpaqueResponse {
  // A browser counts `Age` against `max-age`.
  const maxAge = answer.ageSeconds + Math.min(60, answer.freshForSeconds)
  const headers = {
    'Content-Type': 'application/json; charset=utf-8',
    'Cache-Control': `private, max-age=${answer.state === 'STALE' ? 0 : maxAge}`,
    Vary: 'Authorization, Cookie',
    ETag: answer.etag,
    'X-Cache': answer.state,
    Age: String(answer.ageSeconds),
  }
  c.var.timings.push({ name: 'cache', ms: 0, description: answer.state })
  return opaque(
    matches(c.req.header('if-none-match'), answer.etag)
      ? new Response(null, { status: 304, headers })
      : new Response(answer.body, { status: 200, headers }),
  )
}

/** Sends what holds at this moment and is kept nowhere, so that who asks again and again is told when nothing is new. */
export async function momentaryResponse(c: Context<AppEnv>, value: unknown): Promise<OpaqueResponse> {
  const body = JSON.stringify(value)
  const etag = await etagOf(body)
  return cachedResponse(c, { body, etag, state: 'MISS', ageSeconds: 0, freshForSeconds: 0 })
}

/** The same for the same body, whoever made it. */
export async function etagOf(body: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(body))
  return `"${new Uint8Array(hash).toBase64({ alphabet: 'base64url', omitPadding: true }).slice(0, 27)}"`
}

/** Weak comparison, as RFC 9110 §13.1.2 asks for `If-None-Match`. */
export function matches(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false
  const bare = (tag: string) => tag.trim().replace(/^W\//, '')
  return header.trim() === '*' || header.split(',').some((tag) => bare(tag) === bare(etag))
}
