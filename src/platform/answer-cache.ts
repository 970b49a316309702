import * as z from 'zod'

import { Problem } from '#contract/problem.ts'
import type { ProblemCode } from '#contract/problems.ts'
import { ageSeconds, freshness, jitterTtl } from '#resilience/staleness.ts'

import type { AnswerCache, CachedAnswer, CachedRead } from '../http/cached-response.ts'
import type { Log } from '../http/env.ts'

export type Generations = {
  /** Grows with the changes named: a library's, `any` library's, or `never`. At most seconds old. */
  current(changesWith: string): Promise<number>
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
  readonly maxStaleMs: number
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
}

const Metadata = z.object({
  storedAt: z.number(),
  freshUntil: z.number(),
  etag: z.string(),
  generation: z.number(),
})
type Metadata = z.output<typeof Metadata>
type Entry = { readonly body: string; readonly metadata: Metadata }

/**
 * Answers kept in KV under whose they are. Fresh: served. Old by less than its own life: served, and renewed behind.
 * Older, or changed since: asked for again, and served only if Plex cannot answer, for up to a day, marked STALE.
 * Problems are never kept. Without KV every read goes to Plex.
 */
export function createAnswerCache(options: Options): AnswerCache {
  const { kv, generations, maxStaleMs, now, random, log } = options

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
      const expirationTtl = Math.ceil((entry.metadata.freshUntil - now() + maxStaleMs) / 1000)
      await kv.put(key, entry.body, { metadata: entry.metadata, expirationTtl: Math.max(60, expirationTtl) })
    } catch (cause) {
      log('warn', 'cache-unwritable', { cause: String(cause) })
    }
  }

  const load = async (read: CachedRead, generation: number): Promise<Entry> => {
    const body = JSON.stringify(await read.load())
    const storedAt = now()
    const freshUntil = storedAt + jitterTtl(read.ttlMs, random)
    return { body, metadata: { storedAt, freshUntil, generation, etag: await etagOf(body) } }
  }

  const forget = async (key: string): Promise<void> => {
    try {
      await kv.delete(key)
    } catch (cause) {
      log('warn', 'cache-unwritable', { cause: String(cause) })
    }
  }

  /** Asks anew. What Plex denies is not kept either: the next outage must not bring it back. */
  const ask = async (key: string, read: CachedRead, generation: number, known?: Entry): Promise<Entry> => {
    try {
      const loaded = await load(read, generation)
      await store(key, loaded)
      return loaded
    } catch (error) {
      if (known && isDenied(error)) await forget(key)
      throw error
    }
  }

  const renew = async (key: string, read: CachedRead, generation: number, known: Entry): Promise<void> => {
    try {
      if (await generations.claimRenewal(key)) await ask(key, read, generation, known)
    } catch (cause) {
      log('info', 'renewal-failed', { cause: String(cause) })
    }
  }

  return {
    async read(read) {
      const key = await keyOf(read)
      const [entry, generation] = await Promise.all([find(key), generations.current(read.changesWith)])
      const known = entry && freshness(entry.metadata, now(), maxStaleMs) !== 'expired' ? entry : undefined
      if (known && known.metadata.generation === generation) {
        if (now() < known.metadata.freshUntil) return answer(known, 'HIT', now())
        if (now() < known.metadata.freshUntil + read.ttlMs) {
          read.background(renew(key, read, generation, known))
          return answer(known, 'STALE', now())
        }
      }
      try {
        return answer(await ask(key, read, generation, entry), 'MISS', now())
      } catch (error) {
        if (known && isAboutPlex(error)) return answer(known, 'STALE', now())
        throw error
      }
    },
  }
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
async function keyOf({ scope, name }: CachedRead): Promise<string> {
  return `answer:v1:${scope}:${name.length <= 64 && /^[\w:.-]+$/.test(name) ? name : await digest(name)}`
}

const etagOf = async (body: string) => `"${(await digest(body)).slice(0, 27)}"`

async function digest(text: string): Promise<string> {
  const hash = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return new Uint8Array(hash).toBase64({ alphabet: 'base64url', omitPadding: true })
}
