/** Who sent it: a known product, or `generic:` and the name the operator gave the source. */
export type Source = 'plex' | 'overseerr' | 'github' | `generic:${string}`

export const deliveryStatuses = ['stored', 'processed', 'ignored', 'retrying', 'dead'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** How sure we are of the sender: by a signature over the bytes, or by a secret that came along. */
export type Verdict = 'verified' | 'authenticated'

/** What is kept of a body: an allow-list per source, flat, strings and numbers only. */
export type Kept = Readonly<Record<string, string | number | boolean>>

export type Delivery = {
  /** Grows with time. */
  readonly id: number
  readonly source: Source
  readonly event: string
  readonly verdict: Verdict
  readonly dedupKey: string
  readonly status: DeliveryStatus
  readonly attempts: number
  readonly kept: Kept
  readonly outcome?: string
  readonly processedAt?: string
}
