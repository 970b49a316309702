import { evictDurableObject } from 'cloudflare:test'
import { expect, vi } from 'vitest'

import { ask } from '../support/client.ts'
import { clearQueue, listen, newFriend, queue, request, storedJobs, type Friend } from '../youtube/support.ts'
import { Side, type Ending, type Offered } from './lease-side.ts'
import { LeaseWatch } from './lease-watch.ts'

type Which<T extends string> = { readonly do: T; readonly at: number }

/** `at` is which one, of those for which the step makes a difference. */
export type Step =
  | { readonly do: 'ask' | 'evict' | 'crash' }
  | { readonly do: 'pass'; readonly ms: number }
  | Which<'greet' | 'resend' | 'repeat' | 'progress' | 'order'>
  | (Which<'cut'> & { readonly how: 'closed' | 'hung' })
  | (Which<'work'> & Offered & { readonly how: Ending })
type Order = { readonly what: 'cancel' | 'retry' | 'scanned'; readonly id: string }

const mostJobs = 3
/** An access token lasts for a quarter of an hour. */
const longestMs = 8 * 60_000
const mostRounds = 12

// Never goes back: what others remember of an earlier run is not to lie ahead.
let ahead = 0
const clock = Date.now.bind(Date)

/** The queue as it is, and two downloaders at the ends of lines that break. */
export class LeaseWorld {
  readonly #sides = [new Side('nas'), new Side('vps')]
  readonly #watch = new LeaseWatch(this.#sides)
  readonly #owner: Friend
  readonly #ears: Awaited<ReturnType<typeof listen>>
  #passedMs = 0

  private constructor(owner: Friend, ears: Awaited<ReturnType<typeof listen>>) {
    this.#owner = owner
    this.#ears = ears
  }

  static async open(): Promise<LeaseWorld> {
    vi.spyOn(Date, 'now').mockImplementation(() => clock() + ahead)
    const owner = await newFriend('admin')
    const world = new LeaseWorld(owner, await listen(owner))
    await world.take([{ do: 'ask' }, { do: 'ask' }])
    await world.#everybodyComes()
    return world
  }

  async close(): Promise<void> {
    this.#ears.socket.close(1000)
    await clearQueue()
  }

  async take(steps: readonly Step[]): Promise<void> {
    let hasChanged = false
    for (const step of steps) hasChanged = (await this.#perform(step)) || hasChanged
    if (!hasChanged) return
    await this.#settle()
    await this.#watch.look()
  }

  /** From here on everything works, and what failed is tried again. */
  async heal(): Promise<void> {
    await this.#everybodyComes()
    for (let round = 0; round < mostRounds && !this.#isAtRest(); round += 1) {
      while (this.#sides.some(({ offers, held }) => offers.length + held.size > 0)) await this.take([works])
      for (const { id, status } of this.#watch.rows) {
        if (status === 'failed') await this.#order({ what: 'retry', id })
        if (status === 'scanning') await this.#order({ what: 'scanned', id })
      }
      // Who had no slot left is asked again by then.
      await this.take([{ do: 'pass', ms: 11_000 }])
    }
    await this.#everybodyComes()
    await this.#everythingIsTold()
    this.#watch.expectAllIsWell(this.#ears.heard)
  }

  async #everybodyComes(): Promise<void> {
    for (const side of this.#sides) await this.#greet(side)
    await this.#settle()
    await this.#watch.look()
  }

  /** Answers whether that was anything. */
  async #perform(step: Step): Promise<boolean> {
    switch (step.do) {
      case 'ask':
        return this.#watch.rows.length < mostJobs && (await request(this.#owner)).attempt === 1
      case 'work':
        return this.#work(step.at, step)
      case 'order':
        return this.#order(oneOf(this.#orders(), step.at))
      case 'progress':
        return this.#side(step.at, ({ held }) => held.size > 0)?.progress(step.at) ?? false
      case 'resend':
        return this.#side(step.at, ({ outbox }) => outbox.size > 0)?.resend() ?? false
      case 'repeat':
        return this.#side(step.at, isConnected)?.repeat(step.at) ?? false
      case 'greet':
        return this.#greet(this.#side(step.at, (side) => !isConnected(side)) ?? oneOf(this.#sides, step.at))
      case 'cut':
        return this.#cut(this.#side(step.at, isBusy) ?? this.#side(step.at, isConnected), step.how)
      case 'pass':
        return this.#pass(step.ms)
      case 'evict':
      case 'crash':
        return this.#evict(step.do)
    }
  }

  #side(at: number, suits: (side: Side) => boolean): Side | undefined {
    return oneOf(this.#sides.filter(suits), at)
  }

  /** Something is begun or ended. */
  #work(at: number, { how, ...offered }: Offered & { readonly how: Ending }): boolean {
    const begin = this.#sides.filter(({ offers }) => offers.length > 0)
    const end = this.#sides.filter(({ held }) => held.size > 0)
    const side = oneOf([...begin, ...end], at)
    if (!side) return false
    if (at % (begin.length + end.length) < begin.length) return side.take(at, offered)
    const id = side.finish(how)
    if (id !== undefined && how === 'failed') this.#watch.failed(id)
    return side.isConnected
  }

  async #greet(side: Side | undefined): Promise<boolean> {
    if (!side) return false
    const own = this.#watch.mayRelyOn(side)
    const drop = await side.greet()
    const robbed = own.filter(({ jobId }) => drop.includes(jobId))
    expect(robbed, 'who comes back in time keeps what it had').toEqual([])
    const inPlace = this.#watch.rows.filter(({ id, status }) => status === 'scanning' && drop.includes(id))
    expect(inPlace, 'of what nobody goes on with, all that is left is asked for').toEqual([])
    return true
  }

  async #cut(side: Side | undefined, how: 'closed' | 'hung'): Promise<boolean> {
    if (!side) return false
    side.cut(how)
    if (how === 'hung') return true
    const isUnnoticed = async () =>
      (await storedJobs()).some(
        ({ state, lease }) => state === 'leased' && lease?.holder === side.id && lease.until === Infinity,
      )
    await expect.poll(isUnnoticed, { interval: 2 }).toBe(false)
    return true
  }

  async #pass(ms: number): Promise<boolean> {
    if (this.#passedMs + ms > longestMs) return false
    this.#passedMs += ms
    ahead += ms
    // Whoever is there would have said `ping`.
    await this.#settle()
    await queue().adopt(Date.now())
    return true
  }

  async #evict(how: 'evict' | 'crash'): Promise<true> {
    await this.#everythingIsTold()
    await evictDurableObject(queue(), how === 'crash' ? { webSockets: 'close' } : {})
    for (const side of this.#sides) {
      if (how === 'crash') side.cut('hung')
      // Nobody says `ping` here: all that is known then of whoever is silent is when it came.
      else if (!side.isConnected) side.heardAt = Math.min(side.heardAt, side.connectedAt)
    }
    return true
  }

  #orders(): Order[] {
    return this.#watch.rows.flatMap(({ id, status }) => (meant[status] ?? []).map((what) => ({ what, id })))
  }

  async #order(order: Order | undefined): Promise<boolean> {
    if (!order) return false
    const { what, id } = order
    if (what === 'scanned') await queue().scanned(id, '5')
    else {
      const { token } = this.#owner
      expect((await ask('POST', `/api/youtube/downloads/${id}/${what}`, { token })).status).toBe(200)
      this.#watch.ordered(id, what)
    }
    return true
  }

  /** Until nobody has anything to say any more. */
  async #settle(): Promise<void> {
    do {
      // First who may have said what the other hears of.
      for (const side of this.#sides.toSorted((a, b) => Number(b.hasSpoken) - Number(a.hasSpoken)))
        await side.hears()
    } while (this.#sides.some(({ hasSpoken }) => hasSpoken))
  }

  /** What the queue tells is told in turn: what comes before this has come. */
  async #everythingIsTold(): Promise<void> {
    const told = () => this.#ears.names().filter((name) => name === 'youtube:queue').length
    const before = told()
    await queue().pause(true)
    await queue().pause(false)
    await expect.poll(told, { interval: 2, timeout: 5_000 }).toBe(before + 2)
  }

  #isAtRest(): boolean {
    return this.#watch.rows.every(({ status }) => status === 'completed' || status === 'cancelled')
  }
}

const oneOf = <T>(all: readonly T[], at: number): T | undefined => all[at % Math.max(1, all.length)]
const meant: Readonly<Record<string, readonly Order['what'][]>> = {
  queued: ['cancel'],
  running: ['cancel'],
  retrying: ['cancel'],
  scanning: ['scanned', 'scanned', 'cancel'],
  failed: ['retry'],
  cancelled: ['retry'],
}
const isConnected = (side: Side): boolean => side.isConnected
const isBusy = (side: Side): boolean => side.isConnected && side.held.size > 0
const works: Step = { do: 'work', at: 0, willing: true, repeated: false, how: 'completed' }
