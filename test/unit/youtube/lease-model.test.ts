import fc from 'fast-check'
import { expect, test } from 'vitest'

import {
  assign,
  holdsLease,
  isHeldBy,
  lapse,
  leasedUntil,
  newJob,
  reconcile,
  released,
  type Held,
  type Job,
} from '../../../src/youtube/job.ts'

const leaseMs = 60_000
const jobIds = ['a', 'b', 'c', 'd']
const downloaderIds = ['nas', 'vps']
const slots = 2

type Result = Held & { readonly kind: 'completed' | 'returned' | 'declined' }
type Side = {
  connected: boolean
  heardAt: number
  /** What it works on, and results it keeps until they are acknowledged: both outlive the connection. */
  readonly holds: Map<string, number>
  readonly outbox: Map<string, Result>
  /** In flight; lost with the connection. */
  offers: Held[]
  said: Result[]
}

/** Queue and downloaders with a network between them that loses, repeats and turns round what is said. */
class Model {
  now = 1_000_000
  readonly jobs = new Map<string, Job>(jobIds.map((id) => [id, job(id)]))
  readonly completed: string[] = []
  readonly everSaid: { readonly from: string; readonly said: Result }[] = []
  readonly granted = new Map<string, number>()
  readonly sides = new Map<string, Side>(
    downloaderIds.map((id) => [
      id,
      { connected: false, heardAt: 0, holds: new Map(), outbox: new Map(), offers: [], said: [] },
    ]),
  )

  side(id: string): Side {
    const side = this.sides.get(id)
    if (!side) throw new Error(`no downloader ${id}`)
    return side
  }

  connect(id: string): void {
    const side = this.side(id)
    this.disconnect(id, true)
    const outbox = [...side.outbox.values()]
    const holding = [...[...side.holds].map(([jobId, lease]) => ({ jobId, lease })), ...outbox]
    const { kept, drop, lost } = reconcile([...this.jobs.values()], id, holding)
    for (const next of [...kept, ...lost]) this.jobs.set(next.id, next)
    Object.assign(side, { connected: true, heardAt: this.now, said: outbox })
    for (const jobId of drop) {
      side.holds.delete(jobId)
      for (const [key, result] of side.outbox) if (result.jobId === jobId) side.outbox.delete(key)
    }
    side.said = side.said.filter(({ jobId }) => !drop.includes(jobId))
    this.handOut()
  }

  /** `noticed`: whether the queue sees it end, which it does not when it is restarted itself. */
  disconnect(id: string, noticed: boolean): void {
    const side = this.side(id)
    if (!side.connected) return
    Object.assign(side, { connected: false, offers: [], said: [] })
    if (!noticed) return
    for (const held of this.jobs.values()) {
      if (isHeldBy(held, id)) this.jobs.set(held.id, leasedUntil(held, this.now + leaseMs))
    }
  }

  /** Loses everything a downloader had on its disk. */
  wipe(id: string): void {
    this.disconnect(id, true)
    this.side(id).holds.clear()
    this.side(id).outbox.clear()
  }

  pass(ms: number): void {
    this.now += ms
    const heard = (id: string) => (this.side(id).connected ? this.side(id).heardAt : undefined)
    for (const next of lapse([...this.jobs.values()], heard, this.now, leaseMs)) this.jobs.set(next.id, next)
    for (const [id, side] of this.sides) {
      if (side.connected && this.now - side.heardAt > leaseMs) this.disconnect(id, true)
    }
    this.handOut()
  }

  takeOffer(id: string, willing: boolean): void {
    const side = this.side(id)
    const offer = side.offers.shift()
    if (!offer) return
    if (willing) side.holds.set(offer.jobId, offer.lease)
    else this.say(id, { ...offer, kind: 'declined' })
  }

  finish(id: string, kind: 'completed' | 'returned'): void {
    const side = this.side(id)
    const [first] = side.holds
    if (!first) return
    const [jobId, lease] = first
    side.holds.delete(jobId)
    const result: Result = { jobId, lease, kind }
    side.outbox.set(`${jobId} ${lease}`, result)
    if (side.connected) this.say(id, result)
  }

  say(id: string, said: Result): void {
    this.side(id).said.push(said)
    this.everSaid.push({ from: id, said })
  }

  listen(id: string): void {
    const side = this.side(id)
    const said = side.said.shift()
    if (!said) return
    side.heardAt = this.now
    this.hear(id, said)
    side.outbox.delete(`${said.jobId} ${said.lease}`)
  }

  /** Something said long ago is heard again. */
  repeat(index: number): void {
    const old = this.everSaid[index % Math.max(1, this.everSaid.length)]
    if (old) this.hear(old.from, old.said)
  }

  hear(id: string, { jobId, lease, kind }: Result): void {
    const held = this.jobs.get(jobId)
    if (!holdsLease(held, id, lease)) return
    expect(lease, 'only the last lease counts').toBe(this.granted.get(jobId))
    if (kind === 'completed') {
      this.jobs.delete(jobId)
      this.completed.push(jobId)
    } else this.jobs.set(jobId, released(held))
    this.handOut()
  }

  handOut(): void {
    const candidates = [...this.sides]
      .filter(([, { connected }]) => connected)
      .map(([downloaderId]) => ({ downloaderId, slots, unwillingUntil: 0 }))
    for (const next of assign([...this.jobs.values()], candidates, this.now)) {
      const { holder, token } = next.lease
      expect(token).toBeGreaterThan(this.granted.get(next.id) ?? 0)
      this.granted.set(next.id, token)
      this.jobs.set(next.id, next)
      this.side(holder).offers.push({ jobId: next.id, lease: token })
    }
  }

  check(): void {
    for (const id of jobIds) {
      const ended = this.completed.filter((done) => done === id).length
      expect(ended + (this.jobs.has(id) ? 1 : 0), `job ${id} is there once`).toBe(1)
      const live = downloaderIds.flatMap((downloader) =>
        [...this.side(downloader).holds]
          .filter(([jobId]) => jobId === id)
          .filter(([, lease]) => holdsLease(this.jobs.get(id), downloader, lease)),
      )
      expect(live.length, `live leases of ${id}`).toBeLessThanOrEqual(1)
    }
    for (const id of downloaderIds) {
      const busy = [...this.jobs.values()].filter((held) => isHeldBy(held, id))
      expect(busy.length, `slots of ${id}`).toBeLessThanOrEqual(slots)
    }
  }

  /** From here on everything works. */
  heal(): void {
    this.pass(2 * leaseMs)
    this.pass(leaseMs)
    for (const id of downloaderIds) this.connect(id)
    for (let round = 0; round < 20; round += 1) {
      for (const id of downloaderIds) {
        this.takeOffer(id, true)
        this.finish(id, 'completed')
        this.listen(id)
      }
    }
  }
}

function job(id: string): Job {
  const createdAt = '2026-10-01T12:00:00.000Z'
  return newJob({
    id,
    userId: 'u',
    videoId: id,
    url: id,
    quality: '720p',
    format: 'mp4',
    extras: { chapters: true, thumbnail: true },
    createdAt,
  })
}

const downloader = fc.constantFrom(...downloaderIds)
const step: fc.Arbitrary<(model: Model) => void> = fc.oneof(
  downloader.map((id) => (model: Model) => model.connect(id)),
  fc.tuple(downloader, fc.boolean()).map(
    ([id, noticed]) =>
      (model: Model) =>
        model.disconnect(id, noticed),
  ),
  downloader.map((id) => (model: Model) => model.wipe(id)),
  fc.integer({ min: 1, max: 90_000 }).map((ms) => (model: Model) => model.pass(ms)),
  fc.tuple(downloader, fc.boolean()).map(
    ([id, willing]) =>
      (model: Model) =>
        model.takeOffer(id, willing),
  ),
  fc.tuple(downloader, fc.constantFrom('completed', 'returned')).map(
    ([id, kind]) =>
      (model: Model) =>
        model.finish(id, kind),
  ),
  downloader.map((id) => (model: Model) => model.listen(id)),
  fc.nat().map((index) => (model: Model) => model.repeat(index)),
)

test('no job is lost, done twice or held twice, whatever the network loses, repeats or turns round', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80 }), (steps) => {
      const model = new Model()
      for (const take of steps) {
        take(model)
        model.check()
      }
      model.heal()
      expect(model.completed.toSorted()).toEqual(jobIds)
    }),
    { numRuns: 1_500 },
  )
})
