import { DurableObject } from 'cloudflare:workers'

import type { WindowDecision } from '#resilience/sliding-window.ts'

import { Windows, type NamedPolicy } from './windows.ts'

/** The allowance of one address or webhook source. Forgets itself once its windows are empty. */
export class RateLimiter extends DurableObject<Env> {
  readonly #windows = new Windows(this.ctx.storage.kv, (work) => this.ctx.waitUntil(work))
  #alarmAt = 0

  async take(policy: NamedPolicy, now = Date.now()): Promise<WindowDecision> {
    const decision = this.#windows.take(policy, now, { durable: false })
    await this.#forgetLater(now + policy.windowMs, policy.windowMs)
    return decision
  }

  peek(policy: NamedPolicy, now = Date.now()): WindowDecision {
    return this.#windows.peek(policy, now)
  }

  override async alarm(): Promise<void> {
    if (Date.now() < this.#alarmAt) return this.#setAlarm(this.#alarmAt)
    await this.ctx.storage.deleteAll()
    this.#alarmAt = 0
  }

  // An alarm is a row written: it is set once a window and moved on when it rings, not with every admission.
  async #forgetLater(emptyAt: number, windowMs: number): Promise<void> {
    const armed = this.#alarmAt > 0
    this.#alarmAt = Math.max(this.#alarmAt, emptyAt)
    if (!armed && (await this.ctx.storage.getAlarm()) === null) await this.#setAlarm(emptyAt + windowMs / 10)
  }

  async #setAlarm(at: number): Promise<void> {
    await this.ctx.storage.setAlarm(at)
  }
}
