import type { HealthCause, HealthStatus } from '#contract/health.ts'

import type { AnswerCache } from '../http/cached-response.ts'
import type { Row } from './container.ts'

export type PlexPath = string & { readonly plexPath: true }

/** Builds a path of PMS. Every part that varies must be digits, so that no client gets a path of its own to PMS. */
export function plexPath(parts: TemplateStringsArray, ...keys: readonly string[]): PlexPath {
  if (keys.some((key) => !/^\d+$/.test(key))) throw new Error('a key of Plex must be digits')
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

export type PlexHealth = {
  readonly status: HealthStatus
  readonly cause?: HealthCause
  readonly latencyMs?: number
}
export type PlexProbe = () => Promise<PlexHealth>

export type Scans = {
  request(scan: {
    readonly libraryKey: string
    readonly path?: string
    readonly userId: string
  }): Promise<void>
}

export type Audit = (entry: {
  readonly actor: string
  readonly action: string
  readonly target: string
}) => Promise<void>

export type PlexDependencies = {
  readonly reader: PlexReader
  readonly cache: AnswerCache
  readonly scans: Scans
  readonly probe: PlexProbe
  readonly audit: Audit
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
