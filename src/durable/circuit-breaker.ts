import { DurableObject } from 'cloudflare:workers'

import {
  admit,
  initialBreaker,
  parseBreaker,
  settle,
  type Admission,
  type BreakerPolicy,
  type BreakerState,
} from '#resilience/breaker.ts'

export type Report = { readonly ticket: number; readonly ok: boolean; readonly minOpenMs?: number }

/** The breaker of one upstream, shared by all isolates. The arithmetic is in resilience; this only remembers. */
export class CircuitBreaker extends DurableObject<Env> {
  admit(
    policy: BreakerPolicy,
    now = Date.now(),
  ): { readonly admission: Admission; readonly state: BreakerState } {
    const before = this.#state()
    const [admission, state] = admit(before, policy, now)
    if (state !== before) this.#remember(state)
    return { admission, state }
  }

  settle({ ticket, ok, minOpenMs }: Report, policy: BreakerPolicy, now = Date.now()): BreakerState {
    const before = this.#state()
    const state = settle(before, { ticket, ok }, policy, now, minOpenMs)
    if (state !== before) this.#remember(state)
    return state
  }

  state(): BreakerState {
    return this.#state()
  }

  // An older version may have written it: what does not parse is as good as never written.
  #state(): BreakerState {
    return parseBreaker(this.ctx.storage.kv.get('breaker')) ?? initialBreaker
  }

  #remember(state: BreakerState): void {
    this.ctx.storage.kv.put('breaker', state)
  }
}
