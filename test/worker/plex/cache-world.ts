import { env } from 'cloudflare:workers'

import { Problem } from '#contract/problem.ts'

import type { CachedRead } from '../../../src/http/cached-response.ts'
import { createAnswerCache, type AnswerStore } from '../../../src/platform/answer-cache.ts'

export const minutes = 60_000
export const hours = 60 * minutes
export const seconds = (count: number) => count * 1_000

type Given = {
  readonly kv?: AnswerStore
  readonly scope?: string
  readonly server?: string
}

/** A cache on its own clock over the real KV, in front of a Plex whose answer a test sets. */
export function createWorld({
  kv = env.CACHE,
  scope = crypto.randomUUID(),
  server = 'server-one',
}: Given = {}) {
  const world = {
    now: Date.now(),
    answer: 'first' as string | Error,
    loads: 0,
    generation: 0,
    /** Of libraries whose changes are not those of all. */
    others: {} as Readonly<Record<string, number>>,
    renewals: new Set<string>(),
    behind: [] as Promise<unknown>[],
    reads: [] as ('cached' | 'asked')[],
    /** How long a read waits for KV to keep what it has brought: for ever, unless a test says otherwise. */
    patience: new Promise<void>(() => undefined),
  }
  const cache = createAnswerCache({
    kv,
    generations: {
      current: async () => {
        const { generation, others } = world
        return (changesWith) => others[changesWith] ?? generation
      },
      claimRenewal: async (key) => !world.renewals.has(key) && Boolean(world.renewals.add(key)),
    },
    server,
    onRead: (how) => world.reads.push(how),
    maxStaleMs: 24 * hours,
    now: () => world.now,
    random: () => 0,
    wait: async () => world.patience,
    log: () => undefined,
  })
  const load = async () => {
    world.loads += 1
    await scheduler.wait(1)
    if (world.answer instanceof Error) throw world.answer
    return { data: world.answer }
  }
  const ask = async (change: Partial<CachedRead> = {}) => {
    const background = (work: Promise<unknown>) => void world.behind.push(work)
    const read = {
      name: 'items',
      scope,
      ttlMs: 30 * minutes,
      changesWith: 'any',
      load,
      background,
      ...change,
    }
    const { body, state, ...rest } = await cache.read(read)
    return { data: (JSON.parse(body) as { data: unknown }).data, state, ...rest }
  }
  const settled = async () => {
    await Promise.all(world.behind)
    world.behind = []
  }
  return { world, ask, settled, scope, cache }
}

export const problem = (code: 'plex-unavailable' | 'plex-maintenance' | 'plex-tv-unavailable') =>
  new Problem(code, { members: { retryAfter: 5 } })
export const plain = (code: 'not-found' | 'not-a-member' | 'plex-sign-in-required' | 'upstream-invalid') =>
  new Problem(code)

/** What Plex denied to who asked: to them it is not there, and to the cache it says nothing. */
export const forbidden = new Problem('not-found', { cause: 'forbidden' })
