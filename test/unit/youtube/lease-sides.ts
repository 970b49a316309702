import type { FailureCode } from '#contract/failures.ts'

import type { Held } from '../../../src/youtube/job.ts'
import type { Rest } from '../../../src/youtube/sites.ts'

export type Kind = 'completed' | 'returned' | 'declined' | FailureCode
export type Result = Held & { readonly kind: Kind }
/** A downloader, and what is on its way to and from it. */
export type Side = {
  connected: boolean
  heardAt: number
  rests: readonly Rest[]
  /** What it works on, and results it keeps until they are acknowledged: both outlive the connection. */
  holds: Map<string, number>
  outbox: Map<string, Result>
  /** In flight; lost with the connection. */
  offers: Held[]
  said: Result[]
}

export const newSide = (): Side => ({
  connected: false,
  heardAt: 0,
  rests: [],
  holds: new Map(),
  outbox: new Map(),
  offers: [],
  said: [],
})
