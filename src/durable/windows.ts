import {
  prune,
  peek,
  refund,
  take,
  type Window,
  type WindowDecision,
  type WindowPolicy,
} from '#resilience/sliding-window.ts'

export type NamedPolicy = WindowPolicy & { readonly name: string }

type Storage = Pick<DurableObjectStorage['kv'], 'get' | 'put' | 'delete'>

const flushAfterMs = 1_000

/**
 * The sliding windows one object keeps, by policy name. A window is in memory at once; storage follows within a
 * second, or before the answer where `durable` is asked for, since one row written per read would cost more than
 * the read.
 */
export class Windows {
  readonly #storage: Storage
  readonly #background: (work: Promise<unknown>) => void
  readonly #memory = new Map<string, Window>()
  readonly #dirty = new Set<string>()

  constructor(storage: Storage, background: (work: Promise<unknown>) => void) {
    this.#storage = storage
    this.#background = background
  }

  take(policy: NamedPolicy, now: number, { durable }: { readonly durable: boolean }): WindowDecision {
    const [decision, window] = take(this.#read(policy.name), policy, now)
    this.#remember(policy.name, prune(window, policy, now), durable)
    return decision
  }

  peek(policy: NamedPolicy, now: number): WindowDecision {
    return peek(this.#read(policy.name), policy, now)
  }

  refund(policy: NamedPolicy, at: number): void {
    this.#remember(policy.name, refund(this.#read(policy.name), at), true)
  }

  #read(name: string): Window {
    const known = this.#memory.get(name)
    if (known) return known
    const stored = this.#storage.get<Window>(key(name)) ?? []
    this.#memory.set(name, stored)
    return stored
  }

  #remember(name: string, window: Window, durable: boolean): void {
    this.#memory.set(name, window)
    if (durable) {
      this.#storage.put(key(name), window)
      this.#dirty.delete(name)
      return
    }
    if (this.#dirty.size === 0) this.#background(scheduler.wait(flushAfterMs).then(() => this.flush()))
    this.#dirty.add(name)
  }

  flush(): void {
    for (const name of this.#dirty) this.#storage.put(key(name), this.#memory.get(name) ?? [])
    this.#dirty.clear()
  }
}

const key = (name: string) => `window:${name}`
