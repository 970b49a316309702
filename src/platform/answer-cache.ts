import * as z from 'zod'

import { isProblem, Problem } from '#contract/problem.ts'
import type { ProblemCode } from '#contract/problems.ts'
import { ageSeconds, freshness, jitterTtl } from '#resilience/staleness.ts'

import { etagOf, type AnswerCache, type CachedAnswer, type CachedRead } from '../http/cached-response.ts'
import type { Log } from '../http/env.ts'
import type { Reads } from '../plex/hit-ratio.ts'

/** A number that grows with the changes named: a library's, `any` library's, or `never`. */
export type GenerationOf = (changesWith: string) => number

export type Generations = {
  /** As they are now: at most seconds old, and never from before the change numbered `since`. */
  current(since?: number): Promise<GenerationOf>
  /** True for one caller at a time: the one that renews a stale answer. */
  claimRenewal(key: string): Promise<boolean>
}

/** What this needs of KV. */
export type AnswerStore = {
  getWithMetadata(
    key: string,
    type: 'text',
  ): Promise<{ readonly value: string | null; readonly metadata: unknown }>
  put(
    key: string,
    value: string,
    options: { readonly metadata: Metadata; readonly expirationTtl: number },
  ): Promise<void>
  delete(key: string): Promise<void>
}

type Options = {
  readonly kv: AnswerStore
  readonly generations: Generations
  /** The server whose answers these are: another one's are never found. */
  readonly server: string
  readonly onRead: (how: keyof Reads) => void
  readonly maxStaleMs: number
  readonly now: () => number
  readonly random: () => number
  readonly wait: (ms: number) => Promise<unknown>
  readonly log: Log
}

const Metadata = z.object({
  storedAt: z.number(),
  freshUntil: z.number(),
  etag: z.string(),
  generation: z.number(),
  /** Whose changes the generation counts, where the answer itself has said so. */
  changesWith: z.string().optional(),
  /** There was nothing, and Plex said so. */
  missing: z.literal(true).optional(),
})
type Metadata = z.output<typeof Metadata>
type Entry = { readonly body: string; readonly metadata: Metadata }

const missingMs = 30_000
const keepMs = 50
/** KV keeps nothing for less. */
const minKeptSeconds = 60

/**
 * Answers kept in KV under whose they are. Fresh: served. Old by less than its own life: served, and renewed behind.
 * Older, or changed since: asked for again, and served only if Plex cannot answer, for up to a day, marked STALE.
 * That there is nothing is kept for half a minute; no other problem ever is. Without KV every read goes to Plex.
 */
export function createAnswerCache(options: Options): AnswerCache {
  const { kv, generations, server, onRead, maxStaleMs, now, random, wait, log } = options

  const find = async (key: string): Promise<Entry | undefined> => {
    try {
      const { value, metadata } = await kv.getWithMetadata(key, 'text')
      const parsed = Metadata.safeParse(metadata)
      return value !== null && parsed.success ? { body: value, metadata: parsed.data } : undefined
    } catch (cause) {
      log('warn', 'cache-unreadable', { cause: String(cause) })
      return undefined
    }
  }

  const store = async (key: string, entry: Entry): Promise<void> => {
    try {
      const { body, metadata } = entry
      const keptMs = metadata.freshUntil - now() + (metadata.missing ? 0 : maxStaleMs)
      const expirationTtl = Math.max(minKeptSeconds, Math.ceil(keptMs / 1000))
      await kv.put(key, body, { metadata, expirationTtl })
    } catch (cause) {
      log('warn', 'cache-unwritable', { cause: String(cause) })
    }
  }

  /** Who waits for an answer waits for KV a moment only; a later read may as well ask Plex once more. */
  const keep = async (key: string, entry: Entry, { background }: CachedRead): Promise<void> => {
    const stored = store(key, entry)
    background(stored)
    await Promise.race([stored, wait(keepMs)])
  }

  const load = async (read: CachedRead, generationOf: GenerationOf): Promise<Entry> => {
    const value = await read.load()
    const body = JSON.stringify(value)
    const storedAt = now()
    const freshUntil = storedAt + jitterTtl(read.ttlMs, random)
    const narrowed = read.narrowed?.(value)
    const changes = {
      // As it was before Plex was asked: a change that came meanwhile may not be in the answer.
      generation: generationOf(narrowed ?? read.changesWith),
      ...(narrowed !== undefined && { changesWith: narrowed }),
    }
    return { body, metadata: { storedAt, freshUntil, etag: await etagOf(body), ...changes } }
  }

  const forget = async (key: string): Promise<void> => {
    try {
      await kv.delete(key)
    } catch (cause) {
      log('warn', 'cache-unwritable', { cause: String(cause) })
    }
  }

  /** Asks anew. What Plex denies takes the old answer with it: the next outage must not bring that back. */
  const ask = async (
    key: string,
    read: CachedRead,
    generationOf: GenerationOf,
    known?: Entry,
  ): Promise<Entry> => {
    try {
      const loaded = await load(read, generationOf)
      await keep(key, loaded, read)
      return loaded
    } catch (error) {
      if (isMissing(error)) await keep(key, missing(generationOf(read.changesWith), now()), read)
      else if (known && isDenied(error)) await forget(key)
      throw error
    }
  }

  const renew = async (
    key: string,
    read: CachedRead,
    generationOf: GenerationOf,
    known: Entry,
  ): Promise<void> => {
    try {
      if (await generations.claimRenewal(key)) await ask(key, read, generationOf, known)
    } catch (cause) {
      log('info', 'renewal-failed', { cause: String(cause) })
    }
  }

  /** What can be said without asking Plex. */
  const atOnce = (key: string, read: CachedRead, generationOf: GenerationOf, entry: Entry) => {
    const { metadata } = entry
    if (metadata.generation !== generationOf(metadata.changesWith ?? read.changesWith)) return undefined
    if (now() < metadata.freshUntil) {
      onRead('cached')
      if (metadata.missing) throw new Problem('not-found')
      return answer(entry, 'HIT', now())
    }
    if (metadata.missing || now() >= metadata.freshUntil + read.ttlMs) return undefined
    onRead('cached')
    read.background(renew(key, read, generationOf, entry))
    return answer(entry, 'STALE', now())
  }

  return {
    async read(read) {
      const key = await keyOf(server, read)
      const [entry, generationOf] = await Promise.all([
        find(key),
        read.changesWith === 'never' ? () => 0 : generations.current(read.since),
      ])
      const known = entry && freshness(entry.metadata, now(), maxStaleMs) !== 'expired' ? entry : undefined
      const ready = known && atOnce(key, read, generationOf, known)
      if (ready) return ready
      onRead('asked')
      try {
        return answer(await ask(key, read, generationOf, entry), 'MISS', now())
      } catch (error) {
        if (known && !known.metadata.missing && isAboutPlex(error)) return answer(known, 'STALE', now())
        throw error
      }
    },
  }
}

function missing(generation: number, storedAt: number): Entry {
  const freshUntil = storedAt + missingMs
  return { body: '', metadata: { storedAt, freshUntil, generation, etag: '', missing: true } }
}

const failing = new Set<ProblemCode>([
  'plex-unavailable',
  'plex-maintenance',
  'upstream-invalid',
  'upstream-timeout',
  'downloader-unavailable',
])
const denying = new Set<ProblemCode>(['not-found', 'not-a-member', 'plex-sign-in-required'])

/** Doubt about Plex is served over; doubt about who is asking, or what there is, never. */
const isAboutPlex = (error: unknown) => error instanceof Problem && failing.has(error.code)

/** What was denied to who asked is a `not-found` too; that one has a cause, and says nothing of what there is. */
const isMissing = (error: unknown) => isProblem(error, 'not-found') && error.cause === undefined

/** Plex has spoken, and there is nothing for this caller. */
const isDenied = (error: unknown) => error instanceof Problem && denying.has(error.code)

function answer({ body, metadata }: Entry, state: CachedAnswer['state'], now: number): CachedAnswer {
  return {
    body,
    etag: metadata.etag,
    state,
    ageSeconds: ageSeconds(metadata, now),
    freshForSeconds: state === 'STALE' ? 0 : Math.max(0, Math.floor((metadata.freshUntil - now) / 1000)),
  }
}

/** KV keys are at most 512 bytes; a search may be longer, and says more than a key should. */
async function keyOf(server: string, { scope, name }: CachedRead): Promise<string> {
  const short = name.length <= 64 && /^[\w:.-]+$/.test(name) ? name : await digest(name)
  return `answer:v2:${server}:${scope}:${short}`
}

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return new Uint8Array(hash).toBase64({ alphabet: 'base64url', omitPadding: true })
}
