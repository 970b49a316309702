type Alarms = Pick<DurableObjectStorage, 'getAlarm' | 'setAlarm'>

/** Waiting longer than this in memory would cost more than it is worth: the minute’s round comes in between. */
const longestTimerMs = 60_000

/** When the object looks again by itself. An alarm outlives it, and is a row written; a timer is neither. */
export class Wakes {
  readonly #alarms: Alarms
  readonly #wake: () => Promise<void>
  #timer: { readonly at: number; readonly handle: number } | undefined

  constructor(alarms: Alarms, wake: () => Promise<void>) {
    this.#alarms = alarms
    this.#wake = wake
  }

  async byAlarm(at: number | undefined): Promise<void> {
    if (at === undefined || ((await this.#alarms.getAlarm()) ?? Infinity) <= at) return
    await this.#alarms.setAlarm(at)
  }

  /** Takes the place of the timer before. */
  byTimer(at: number | undefined, now: number): void {
    if (at === this.#timer?.at) return
    if (this.#timer) clearTimeout(this.#timer.handle)
    this.#timer = undefined
    if (at === undefined || at - now > longestTimerMs) return
    const handle = setTimeout(() => {
      this.#timer = undefined
      this.#wake().catch(() => undefined)
    }, at - now)
    this.#timer = { at, handle }
  }
}
