import type { HealthCause, HealthStatus } from '#contract/health.ts'

import type { AnswerCache } from '../http/cached-response.ts'
import type { Row } from './container.ts'
import type { HitRatio } from './hit-ratio.ts'

export type PlexPath = string & { readonly plexPath: true }

/**
 * Builds a path of PMS. Every part that varies must be digits, or several such keys with commas between them, so that
 * no client gets a path of its own to PMS.
 */
export function plexPath(parts: TemplateStringsArray, ...keys: readonly string[]): PlexPath {
  if (keys.some((key) => !/^\d+(,\d+)*$/.test(key))) throw new Error('a key of Plex must be digits')
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- this is where a path becomes one
  return String.raw({ raw: parts }, ...keys) as PlexPath
}

export type PlexQuestion = {
  readonly path: PlexPath
  readonly query?: Readonly<Record<string, string>>
  readonly page?: { readonly offset: number; readonly limit: number }
}

export type PlexContainer = { readonly container: Row; readonly totalSizeHeader?: string }

/** PMS, as one user: with that user's own token. Throws problems only. */
export type PlexReader = {
  read(userId: string, question: PlexQuestion): Promise<PlexContainer>
}

export type PlexCommand = {
  readonly method: 'POST' | 'PUT' | 'DELETE'
  readonly path: PlexPath
  readonly query?: Readonly<Record<string, string>>
}

/**
 * Changes PMS, as one user: with that user's own token, and each command is sent once. Throws problems only; after
 * those that doubt Plex, what became of the command is not known.
 */
export type PlexWriter = {
  /** Answers the container PMS shows, which is empty when it shows none. */
  write(userId: string, command: PlexCommand): Promise<Row>
}

/** One writer at a time for each name, wherever they run. */
export type PlexLocks = {
  /** Holds all the names while it works. `held` throws once they are no longer ours: ask before each write. */
  run<T>(names: readonly string[], work: (held: () => Promise<void>) => Promise<T>): Promise<T>
}

export type PlexHealth = {
  readonly status: HealthStatus
  readonly cause?: HealthCause
  readonly latencyMs?: number
}
export type PlexProbe = () => Promise<PlexHealth>

export type Audit = (entry: {
  readonly actor: string
  readonly action: string
  readonly target: string
}) => Promise<void>

/** Pictures of PMS, as addresses of ours. */
export type Images = {
  /** Puts a signed address wherever a member `images` of the value holds a path of PMS; for this scope alone. */
  sign<T>(scope: string, value: T): Promise<T>
}

export type PlexDependencies = {
  readonly reader: PlexReader
  readonly images: Images
  readonly cache: AnswerCache
  readonly probe: PlexProbe
  /** How many of the reads of the last day the cache has answered. */
  readonly hitRatio: () => Promise<HitRatio>
  readonly machineIdentifier: string
  readonly ttl: {
    readonly server: number
    readonly libraries: number
    readonly items: number
    readonly recentlyAdded: number
    readonly search: number
  }
  readonly now: () => number
}
