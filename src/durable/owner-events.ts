import type { Audience, LiveEvent } from '#contract/live.ts'

import type { Publish } from '../live/ports.ts'

/** Tells a download's owner, one event after the other: a room that is slow to answer must not turn them round. */
export class OwnerEvents {
  readonly #publish: Publish
  #last: Promise<unknown> = Promise.resolve()

  constructor(publish: Publish) {
    this.#publish = publish
  }

  send(userId: string, event: LiveEvent): void {
    this.#publishNext({ kind: 'user', userId }, event)
  }

  sendToAdmins(event: LiveEvent): void {
    this.#publishNext({ kind: 'admins' }, event)
  }

  #publishNext(audience: Audience, event: LiveEvent): void {
    this.#last = this.#last.then(() => this.#publish(audience, event))
  }
}
