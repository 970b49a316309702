import { addReads, hitRatioOf, type HitRatio, type Reads, type ReadsByHour } from '../plex/hit-ratio.ts'

const storedEveryMs = 60_000

/** What all isolates have read in the last day. Stored once a minute: an eviction loses no more than that. */
export class CountedReads {
  readonly #storage: SyncKvStorage
  #byHour: ReadsByHour
  #storedAt = 0

  constructor(storage: SyncKvStorage) {
    this.#storage = storage
    this.#byHour = storage.get<ReadsByHour>('reads') ?? {}
  }

  add(reads: Reads, now: number): void {
    if (reads.cached + reads.asked === 0) return
    this.#byHour = addReads(this.#byHour, reads, now)
    if (now - this.#storedAt < storedEveryMs) return
    this.#storage.put('reads', this.#byHour)
    this.#storedAt = now
  }

  ratio(now: number): HitRatio {
    return hitRatioOf(this.#byHour, now)
  }
}
