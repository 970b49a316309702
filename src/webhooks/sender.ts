import type { JoinReason, Kept, Source, Verdict } from './delivery.ts'

/** One delivery as it came in: nothing of it is believed yet. */
export type Attempt = {
  readonly header: (name: string) => string | undefined
  readonly bytes: Uint8Array
  readonly now: number
}

/** What a verified body says. */
export type Notice = {
  readonly event: string
  readonly kept: Kept
  readonly sameness: {
    /** What two deliveries of one event have in common; from what the sender vouched for, and nothing else. */
    readonly content: readonly unknown[]
    readonly withinMs: number
    readonly because: JoinReason
  }
}

/** A kind of sender: how it proves who it is, and how its bodies read. */
export type Sender = {
  readonly source: Source
  readonly maxBytes: number
  readonly verify: (attempt: Attempt) => Promise<Verdict | undefined>
  /** `refused` when only the body shows that this is not our sender. Throws `invalid-request`, and nothing else. */
  readonly read: (attempt: Attempt) => Promise<Notice | 'refused'>
}

export const mebibyte = 1_024 * 1_024
export const minuteMs = 60_000
export const hourMs = 60 * minuteMs
