/** Who sent it: a known product, or `generic:` and the name the operator gave the source. */
export type Source = 'plex' | 'overseerr' | 'github' | `generic:${string}`

export const deliveryStatuses = ['stored', 'processed', 'ignored', 'retrying', 'dead'] as const
export type DeliveryStatus = (typeof deliveryStatuses)[number]

/** Statuses of a delivery that still has work to be done. */
export const pendingStatuses = ['stored', 'retrying'] as const satisfies readonly DeliveryStatus[]

/** What showed a delivery to be one that came before: the signed bytes, the signed id, or what it tells. */
export const joinReasons = ['same-body', 'same-id', 'same-event'] as const
export type JoinReason = (typeof joinReasons)[number]

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

/** What an outcome says of a scan that has been asked for, until it is known how that ended. */
export const scanAsked = 'asked for a scan'
