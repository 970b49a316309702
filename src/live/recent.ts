/** The last events of a room, so that who was away a moment can be told what was missed. */
export class Recent<E extends { readonly seq: number }> {
  readonly #capacity: number
  readonly #events: E[] = []
  /** Every event after this one is here. */
  #completeAfter: number

  constructor(capacity: number, completeAfter: number) {
    this.#capacity = capacity
    this.#completeAfter = completeAfter
  }

  add(event: E): void {
    this.#events.push(event)
    if (this.#events.length > this.#capacity) {
      this.#completeAfter = this.#events.shift()?.seq ?? this.#completeAfter
    }
  }

  /** What came after `seq`, oldest first; `undefined` when some of it may be forgotten. */
  after(seq: number): readonly E[] | undefined {
    if (seq < this.#completeAfter) return undefined
    return this.#events.filter((event) => event.seq > seq)
  }
}
