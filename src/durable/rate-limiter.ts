import { DurableObject } from 'cloudflare:workers'

import type { WindowDecision } from '#resilience/sliding-window.ts'

import { Windows, type NamedPolicy } from './windows.ts'

/** The allowance of one address or webhook source. Forgets itself once its windows are empty. */
export class RateLimiter extends DurableObject<Env> {
  readonly #windows = new Windows(this.ctx.storage.kv, (work) => this.ctx.waitUntil(work))
  #armed = false

  async take(policy: NamedPolicy, now = Date.now()): Promise<WindowDecision> {
    const decision = this.#windows.take(policy, now, { durable: false })
    await this.#forgetLater(now + policy.windowMs)
    return decision
  }

  peek(policy: NamedPolicy, now = Date.now()): WindowDecision {
    return this.#windows.peek(policy, now)
  }

  override async alarm(): Promise<void> {
    const emptyAt = this.#windows.emptyAt()
    if (Date.now() < emptyAt) return this.ctx.storage.setAlarm(emptyAt)
    this.#armed = false
    this.#windows.forget()
    await this.ctx.storage.deleteAll()
  }

  // An alarm is a row written: it is set once and moved on when it rings, not with every admission.
  async #forgetLater(at: number): Promise<void> {
    if (this.#armed) return
    this.#armed = true
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(at)
  }
}
