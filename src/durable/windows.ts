import {
  peek,
  take,
  type Window,
  type WindowDecision,
  type WindowPolicy,
} from '#resilience/sliding-window.ts'

export type NamedPolicy = WindowPolicy & { readonly name: string }

type Charge = { readonly id: string; readonly at: number }
type Kept = {
  readonly times: Window
  readonly windowMs: number
  /** What was charged under an id, for as long as it counts. */
  readonly charges?: readonly Charge[]
}
type Taking = {
  readonly durable: boolean
  /** What is charged: the same is charged once. */
  readonly id?: string | undefined
}
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

  take(policy: NamedPolicy, now: number, { durable, id }: Taking): WindowDecision {
    const kept = this.#read(policy.name)
    const charges = kept.charges?.filter(({ at }) => now - at < policy.windowMs) ?? []
    if (id !== undefined && charges.some((charge) => charge.id === id))
      return granted(kept.times, policy, now)
    const [decision, times] = take(kept.times, policy, now)
    const at = times.at(-1) ?? now
    const charged = id !== undefined && decision.allowed ? [...charges, { id, at }] : charges
    this.#remember(policy, times, charged, durable)
    return decision
  }

  peek(policy: NamedPolicy, now: number): WindowDecision {
    return peek(this.#read(policy.name).times, policy, now)
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

  #read(name: string): Kept {
    const kept = this.#memory.get(name) ?? this.#storage.get<Kept>(prefix + name)
    if (!kept) return { times: [], windowMs: 0 }
    this.#memory.set(name, kept)
    return kept
  }

  #remember(policy: NamedPolicy, times: Window, charges: readonly Charge[], durable: boolean): void {
    const { name, windowMs } = policy
    // A refusal changes nothing, and must not cost a row: that is when an object is asked most.
    if (times === this.#memory.get(name)?.times) return
    this.#memory.set(name, { times, windowMs, ...(charges.length > 0 && { charges }) })
    if (this.#dirty.size === 0 && !durable)
      this.#background(scheduler.wait(flushAfterMs).then(() => this.flush()))
    this.#dirty.add(name)
    if (durable) this.flush()
  }
}

/** What was charged already stands, whatever was charged since. */
function granted(times: Window, policy: WindowPolicy, now: number): WindowDecision {
  const { limit, remaining, resetMs } = peek(times, policy, now)
  return { allowed: true, limit, remaining, resetMs }
}
