import { ToDownloader, type FromDownloader, type Outcome } from '#contract/downloader-link.ts'

import type { Held } from '../../../src/youtube/job.ts'
import { completed, connect, failed, metadata, type Downloader } from '../youtube/support.ts'

type Result = Held & { readonly outcome: Outcome }
type Heard = ReturnType<typeof ToDownloader.parse>

const outcomes = { completed, failed: failed(), returned: { kind: 'returned' } } as const
export type Ending = keyof typeof outcomes
export type Offered = { readonly willing: boolean; readonly repeated: boolean }

const keyOf = ({ jobId, lease }: Held) => `${jobId} ${lease}`

/**
 * A downloader as `downloader/slots.ts` has it, which works when it is told to, and whose line may be cut at any moment.
 * What it is told to do answers whether there was anything to do.
 */
export class Side {
  readonly id: string
  /** What outlives the connection, and the process. */
  readonly held = new Map<string, number>()
  readonly outbox = new Map<string, Result>()
  readonly placed = new Map<string, typeof completed>()
  readonly parts = new Set<string>()
  /** Not looked at yet; lost with the connection. */
  readonly offers: Held[] = []
  /** All that it was ever offered. */
  readonly granted: Held[] = []
  readonly #everSaid: FromDownloader[] = []
  #line: Downloader | undefined
  /** Not all of it may have been heard. */
  hasSpoken = false
  connectedAt = 0
  /** Not later than the other side believes. */
  heardAt = 0

  constructor(id: string) {
    this.id = id
  }

  get isConnected(): boolean {
    return this.#line !== undefined
  }

  get holding(): Held[] {
    return [...this.held].map(([jobId, lease]) => ({ jobId, lease }))
  }

  /** Answers what it must drop. */
  async greet(): Promise<readonly string[]> {
    this.offers.length = 0
    this.connectedAt = this.heardAt = Date.now()
    this.#line = await connect({
      downloaderId: this.id,
      slots: 2,
      holding: [...this.holding, ...[...this.outbox.values()].map(({ jobId, lease }) => ({ jobId, lease }))],
      kept: [...this.parts].filter((id) => !this.held.has(id)),
    })
    const { drop } = this.#line.welcome
    for (const jobId of drop) this.#drop(jobId)
    this.resend()
    return drop
  }

  /** Its line is dead. The other side learns of that only when it was closed. */
  cut(how: 'closed' | 'hung'): void {
    if (how === 'closed') {
      this.heardAt = Date.now()
      this.#line?.socket.close(1000)
    }
    this.#line = undefined
    this.offers.length = 0
  }

  /** Offers come in any order; of one that is `repeated` another copy is still on its way. */
  take(at: number, { willing, repeated }: Offered): boolean {
    const index = at % Math.max(1, this.offers.length)
    const offer = this.offers[index]
    if (!offer) return false
    if (!repeated) this.offers.splice(index, 1)
    const settled = this.outbox.get(keyOf(offer))
    const known = this.held.get(offer.jobId)
    if (settled) return this.#say({ type: 'result', ...settled })
    if (known !== undefined && offer.lease < known) return false
    if (known === undefined && !willing) return this.#say({ type: 'declined', ...offer, reason: 'no-slot' })
    this.held.set(offer.jobId, offer.lease)
    this.parts.add(offer.jobId)
    return this.#say({ type: 'accepted', ...offer }) && this.#say({ type: 'started', ...offer, metadata })
  }

  progress(percent: number): boolean {
    const phase = 'downloading'
    for (const held of this.holding) this.#say({ type: 'progress', ...held, progress: { phase, percent } })
    return this.isConnected && this.held.size > 0
  }

  /** What it has held for the longest. Answers which job that is. */
  finish(how: Ending): string | undefined {
    const [first] = this.holding
    if (!first) return undefined
    const outcome = outcomes[how]
    if (outcome.kind !== 'completed') this.#settle({ ...first, outcome })
    else {
      const placed = { ...outcome, plexPath: `/media/${this.id}/${first.jobId}.mp4` }
      this.placed.set(first.jobId, placed)
      this.#settle({ ...first, outcome: placed })
    }
    return first.jobId
  }

  /** Says again what is not acknowledged. */
  resend(): boolean {
    for (const result of this.outbox.values()) this.#say({ type: 'result', ...result })
    return this.isConnected && this.outbox.size > 0
  }

  /** Something said long ago is heard again. */
  repeat(at: number): boolean {
    const old = this.#everSaid[at % Math.max(1, this.#everSaid.length)]
    return old !== undefined && this.#say(old)
  }

  /** Does what comes of all that was said until now. */
  async hears(): Promise<void> {
    if (!this.#line) return
    const now = Date.now()
    this.hasSpoken = false
    const news = await saidOn(this.#line)
    this.heardAt = now
    for (const message of news) this.#hear(message)
  }

  #hear(message: Heard): void {
    switch (message.type) {
      case 'offer': {
        const { jobId, lease } = message.job
        this.offers.push({ jobId, lease })
        this.granted.push({ jobId, lease })
        return
      }
      case 'cancel':
        return this.#cancel(message)
      case 'acknowledged':
        this.outbox.delete(keyOf(message))
        return
      case 'remove':
        return this.#remove(message)
      case 'welcome':
      case 'ask':
        throw new Error(`nobody expects ${message.type}`)
    }
  }

  #cancel({ jobId, lease }: Held): void {
    const known = this.held.get(jobId)
    if (known !== undefined && lease < known) return
    const placed = known === undefined ? this.placed.get(jobId) : undefined
    this.parts.delete(jobId)
    this.#settle({ jobId, lease: known ?? lease, outcome: placed ?? { kind: 'cancelled' } })
  }

  #remove({ jobId, plexPath }: { readonly jobId: string; readonly plexPath: string }): void {
    const isThere = this.placed.get(jobId)?.plexPath === plexPath
    if (isThere) this.placed.delete(jobId)
    const outcome = isThere ? 'removed' : 'absent'
    this.#say({ type: 'removed', jobId, outcome, plexFolder: `/media/${this.id}` })
  }

  /** The first one stays, whatever comes after. */
  #settle(result: Result): void {
    this.held.delete(result.jobId)
    if (result.outcome.kind === 'completed') this.parts.delete(result.jobId)
    const first = this.outbox.get(keyOf(result)) ?? result
    this.outbox.set(keyOf(result), first)
    this.#say({ type: 'result', ...first })
  }

  /** Whoever goes on with it puts its film into the same place. */
  #drop(jobId: string): void {
    this.held.delete(jobId)
    this.parts.delete(jobId)
    for (const [key, { jobId: id, outcome }] of this.outbox) {
      if (id !== jobId) continue
      this.outbox.delete(key)
      if (outcome.kind === 'completed') this.placed.delete(jobId)
    }
  }

  #say(message: FromDownloader): boolean {
    if (!this.#line) return false
    this.#line.say(message)
    this.hasSpoken = true
    if (message.type !== 'progress' && message.type !== 'removed') this.#everSaid.push(message)
    return true
  }
}

/** All that has been said: what is asked here is answered last. */
async function saidOn(line: Downloader): Promise<Heard[]> {
  const jobId = crypto.randomUUID()
  line.say({ type: 'result', jobId, lease: 1, outcome: { kind: 'returned' } })
  const news: Heard[] = []
  for (;;) {
    const message = ToDownloader.parse(JSON.parse(await line.raw()))
    if (message.type === 'acknowledged' && message.jobId === jobId) return news
    news.push(message)
  }
}
