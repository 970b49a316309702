import type { Audience, LiveEvent } from '#contract/live.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import type { Delivery, DeliveryStatus, Source } from './delivery.ts'

export type NewDelivery = Omit<Delivery, 'attempts' | 'outcome' | 'processedAt'>

/** `id-taken` says nothing of the delivery: ask again with another id. */
export type Insertion =
  | { readonly outcome: 'inserted' }
  | { readonly outcome: 'joined'; readonly id: number }
  | { readonly outcome: 'id-taken' }

export type DeliveryFilter = {
  readonly source?: Source | undefined
  readonly status?: DeliveryStatus | undefined
}

export type Tally = {
  readonly source: Source
  readonly status: DeliveryStatus
  readonly count: number
  /** How many of them came before the asked id. */
  readonly older: number
  readonly lastId: number
}

export type DeliveryStore = {
  /**
   * Inserts unless one with the same key and a larger id than that is there: one statement decides and writes. A dead
   * one does not count, since whoever sends again then means it to be done.
   */
  insertUnlessKnown(delivery: NewDelivery, afterId: number): Promise<Insertion>
  find(id: number): Promise<Delivery | undefined>
  /** Newest first. */
  list(
    filter: DeliveryFilter,
    page: { readonly offset: number; readonly limit: number },
  ): Promise<{
    readonly deliveries: readonly Delivery[]
    readonly total: number
  }>
  /** Ends a pending delivery; only one caller is ever told that it did. An outcome that is not given stays. */
  settlePending(
    id: number,
    end: {
      readonly status: 'processed' | 'ignored' | 'dead'
      readonly outcome?: string
      readonly at: string
    },
  ): Promise<boolean>
  /** Notes a failed attempt of a pending delivery, and answers how many there were. */
  recordFailure(id: number, outcome: string): Promise<number | undefined>
  /** Makes a delivery pending again, as if it had just been stored. */
  reopen(id: number): Promise<Delivery | undefined>
  /** Pending ones, oldest first. */
  pending(range: {
    readonly afterId: number
    readonly storedBeforeId: number
    readonly retryingBeforeId: number
    readonly limit: number
  }): Promise<readonly number[]>
  tally(afterId: number, olderThanId: number): Promise<readonly Tally[]>
}

export type WebhookSecrets = {
  readonly overseerr: readonly string[]
  readonly plex: readonly string[]
  readonly github: readonly string[]
  readonly generic: Readonly<Record<string, readonly string[]>>
}

export type Libraries = { readonly movies: string; readonly tv: string }

export type Budgets = {
  /** Looked at before the body is read; charged only when verification failed. */
  addressLeft(address: string): Promise<WindowDecision>
  chargeAddress(address: string): Promise<void>
  takeSource(source: Source): Promise<WindowDecision>
}

/** What deliveries bring about. All but `publish` may be done twice without harm. */
export type Effects = {
  scan(libraryKey: string, deliveryId: number): Promise<void>
  invalidate(libraryKey: string): Promise<void>
  publish(audience: Audience, event: LiveEvent): Promise<void>
}

type Log = (
  level: 'debug' | 'info' | 'warn' | 'error',
  event: string,
  fields?: Readonly<Record<string, unknown>>,
) => void

export type WebhooksDependencies = {
  readonly store: DeliveryStore
  readonly secrets: WebhookSecrets
  readonly machineIdentifier: string
  readonly libraries: Libraries
  readonly budgets: Budgets
  readonly enqueue: (ids: readonly number[]) => Promise<void>
  readonly effects: Effects
  readonly audit: (entry: {
    readonly actor: string
    readonly action: string
    readonly target: string
  }) => Promise<void>
  readonly log: Log
  readonly now: () => number
  readonly random: () => number
}
