import {
  peek,
  take,
  type Window,
  type WindowDecision,
  type WindowPolicy,
} from '#resilience/sliding-window.ts'

export type NamedPolicy = WindowPolicy & { readonly name: string }

type Kept = { readonly times: Window; readonly windowMs: number }
type Storage = Pick<DurableObjectStorage['kv'], 'get' | 'put' | 'list'>

const flushAfterMs = 1_000
const prefix = 'window:'

/**
 * The sliding windows one object keeps, by policy name. A window is in memory at once; storage follows within a
 * second, or before the answer where `durable` is asked for, since one row written per read would cost more than
 * the read.
 */
export class Windows {
  readonly #storage: Storage
  readonly #background: (work: Promise<unknown>) => void
  readonly #memory = new Map<string, Kept>()
  readonly #dirty = new Set<string>()

  constructor(storage: Storage, background: (work: Promise<unknown>) => void) {
    this.#storage = storage
    this.#background = background
  }

  take(policy: NamedPolicy, now: number, { durable }: { readonly durable: boolean }): WindowDecision {
    const [decision, times] = take(this.#read(policy.name), policy, now)
    this.#remember(policy, times, durable)
    return decision
  }

  peek(policy: NamedPolicy, now: number): WindowDecision {
    return peek(this.#read(policy.name), policy, now)
  }

  /** When the last of what is counted here stops to count; nothing is lost by forgetting the windows then. */
  emptyAt(): number {
    this.flush()
    const ends = [...this.#storage.list<Kept>({ prefix })].map(
      ([, { times, windowMs }]) => (times.at(-1) ?? 0) + windowMs,
    )
    return Math.max(0, ...ends)
  }

  /** For an object that deletes all it has stored. */
  forget(): void {
    this.#dirty.clear()
    this.#memory.clear()
  }

  flush(): void {
    for (const name of this.#dirty) this.#storage.put(prefix + name, this.#memory.get(name))
    this.#dirty.clear()
  }

  #read(name: string): Window {
    const kept = this.#memory.get(name) ?? this.#storage.get<Kept>(prefix + name)
    if (!kept) return []
    this.#memory.set(name, kept)
    return kept.times
  }

  #remember(policy: NamedPolicy, times: Window, durable: boolean): void {
    const { name, windowMs } = policy
    // A refusal changes nothing, and must not cost a row: that is when an object is asked most.
    if (times === this.#memory.get(name)?.times) return
    this.#memory.set(name, { times, windowMs })
    if (this.#dirty.size === 0 && !durable)
      this.#background(scheduler.wait(flushAfterMs).then(() => this.flush()))
    this.#dirty.add(name)
    if (durable) this.flush()
  }
}
