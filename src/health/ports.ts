import type { HealthCause, HealthStatus, ServiceName } from '#contract/health.ts'
import type { Audience, LiveEvent } from '#contract/live.ts'

import type { Log } from '../http/env.ts'

export type Probed = {
  readonly status: HealthStatus
  readonly cause?: HealthCause
  readonly latencyMs?: number
}

/** What a probe found, and when the round began in which it did. */
export type Sample = Probed & { readonly service: ServiceName; readonly at: number }

export type HealthStore = {
  /** Adds a round and drops what is older than `forgetBefore`, in one write. */
  record(samples: readonly Sample[], forgetBefore: number): Promise<void>
  /** The samples of about so many last rounds, newest first. */
  recent(rounds: number): Promise<readonly Sample[]>
  /** Oldest first. */
  history(service: ServiceName, since: number): Promise<readonly Sample[]>
}

export type HealthDependencies = {
  /** Each looks at its service itself, never at a cache. */
  readonly probes: Readonly<Record<ServiceName, () => Promise<Probed>>>
  readonly store: HealthStore
  readonly publish: (audience: Audience, event: LiveEvent) => Promise<void>
  readonly log: Log
  readonly now: () => number
  readonly wait: (ms: number) => Promise<unknown>
}
