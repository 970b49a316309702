import { ok } from 'node:assert/strict'

import { siteOf } from '#contract/downloader-link.ts'
import { isRetryable, type FailureCode } from '#contract/failures.ts'

import { assign, twinOf, twinsOf, type Situation } from '../../../src/youtube/assign.ts'
import {
  holdsLease,
  isHeldBy,
  lapse,
  leasedUntil,
  reconcile,
  released,
  type Job,
} from '../../../src/youtube/job.ts'
import { standingAt, withoutRest, withRest, type Rest } from '../../../src/youtube/sites.ts'
import { restFor, verdictOn } from '../../../src/youtube/verdict.ts'
import { liveState, wakeAt } from '../../../src/youtube/waits.ts'
import { job, leaseMs } from './job-fixtures.ts'
import { newSide, type Kind, type Result, type Side } from './lease-sides.ts'

const hour = 3_600_000
export const downloaderIds = ['nas', 'vps']
const slots = 3
const perSite = 2
const retry = { tries: 3, retryBaseMs: 1_000 }
const wish = (id: string, userId: string, videoId: string, host = 'films.example'): Job =>
  job(id, { userId, videoId, url: `https://${host}/${videoId}` })
const jobs: readonly Job[] = [
  wish('1', 'frank', 'v'),
  wish('2', 'fatima', 'v'),
  wish('3', 'frank', 'w'),
  wish('4', 'frank', 'x', 'clips.example'),
  wish('5', 'fatima', 'y'),
  wish('6', 'fred', 'z'),
]
export const jobIds = jobs.map(({ id }) => id)

/** Queue and downloaders with a network between them that loses, repeats and turns round what is said. */
export class Model {
  now = 1_000_000
  paused = false
  readonly jobs = new Map<string, Job>(jobs.map((each) => [each.id, each]))
  readonly ended = new Map<string, 'completed' | 'shared' | 'cancelled' | 'failed'>()
  readonly everSaid: { readonly from: string; readonly said: Result }[] = []
  readonly granted = new Map<string, number>()
  readonly sides = new Map<string, Side>(downloaderIds.map((id) => [id, newSide()]))

  side(id: string): Side {
    const side = this.sides.get(id)
    if (!side) throw new Error(`no downloader ${id}`)
    return side
  }

  situation(): Situation {
    const candidates = [...this.sides]
      .filter(([, { connected }]) => connected)
      .map(([downloaderId, { rests }]) => ({ downloaderId, slots, rests, unwillingUntil: 0, freeBytes: 10 }))
    return { jobs: [...this.jobs.values()], candidates, paused: this.paused, perSite, removing: [] }
  }

  connect(id: string): void {
    const side = this.side(id)
    this.disconnect(id, true)
    const outbox = [...side.outbox.values()]
    const holding = [...[...side.holds].map(([jobId, lease]) => ({ jobId, lease })), ...outbox]
    const inTime = this.atWork(id)
    const { kept, drop, over, lost } = reconcile([...this.jobs.values()], id, holding)
    for (const next of [...kept, ...lost]) this.jobs.set(next.id, next)
    Object.assign(side, { connected: true, heardAt: this.now, said: outbox })
    for (const { jobId } of over) side.holds.delete(jobId)
    for (const jobId of drop) {
      side.holds.delete(jobId)
      for (const [key, result] of side.outbox) if (result.jobId === jobId) side.outbox.delete(key)
    }
    side.said = side.said.filter(({ jobId }) => !drop.includes(jobId))
    const told = inTime.every(([jobId]) => side.holds.has(jobId) || !this.jobs.has(jobId))
    ok(told, 'who comes back in time keeps what it had')
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
    Object.assign(this.side(id), { holds: new Map(), outbox: new Map() })
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

  block(id: string, rest: Omit<Rest, 'until'>, ms: number): void {
    this.side(id).rests = withRest(this.side(id).rests, { ...rest, until: this.now + ms }, this.now)
  }

  pause(paused: boolean): void {
    this.paused = paused
    this.handOut()
  }

  cancel(id: string): void {
    if (this.jobs.delete(id)) this.ended.set(id, 'cancelled')
    this.handOut()
  }

  /** Offers come in any order; of one that is `repeated` another copy is still on its way. */
  takeOffer(id: string, willing: boolean, index = 0, repeated = false): void {
    const side = this.side(id)
    const at = index % Math.max(1, side.offers.length)
    const offer = side.offers[at]
    if (!offer) return
    if (!repeated) side.offers.splice(at, 1)
    const { jobId, lease } = offer
    const settled = side.outbox.get(`${jobId} ${lease}`)
    if (settled) this.say(id, settled)
    else if (willing || side.holds.has(jobId))
      side.holds.set(jobId, Math.max(lease, side.holds.get(jobId) ?? 0))
    else this.say(id, { ...offer, kind: 'declined' })
  }

  finish(id: string, kind: Kind): void {
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
    ok(lease === this.granted.get(jobId), 'only the last lease counts')
    if (kind === 'completed') this.complete(id, held)
    else if (kind === 'returned' || kind === 'declined') this.jobs.set(jobId, released(held))
    else this.fail(id, held, kind)
    this.handOut()
  }

  complete(id: string, held: Job): void {
    const side = this.side(id)
    side.rests = withoutRest(side.rests, siteOf(held.url), this.now)
    for (const twin of twinsOf(held, [...this.jobs.values()])) {
      this.jobs.delete(twin.id)
      this.ended.set(twin.id, 'shared')
    }
    this.jobs.delete(held.id)
    this.ended.set(held.id, 'completed')
  }

  fail(id: string, held: Job, code: FailureCode): void {
    const failure = { code, retryable: isRetryable(code) }
    const rest = restFor(held, failure, this.now)
    if (rest) this.block(id, rest, 1_000)
    const { candidates } = this.situation()
    const verdict = verdictOn(held, failure, { candidates, retry, neededBytes: 20, now: this.now, random: 0 })
    if (verdict.kind === 'again') return void this.jobs.set(held.id, verdict.job)
    this.jobs.delete(held.id)
    this.ended.set(held.id, 'failed')
  }

  handOut(): void {
    this.checkNobodyIsRobbed()
    const before = this.situation()
    for (const next of assign(before, this.now)) {
      const { holder, token } = next.lease
      ok(!this.paused, 'nothing begins while the queue is paused')
      ok(token > (this.granted.get(next.id) ?? 0), 'leases grow')
      ok(!next.avoid?.includes(holder), 'it goes to nobody who cannot do it')
      this.checkSite(holder, siteOf(next.url), next.id)
      this.granted.set(next.id, token)
      this.jobs.set(next.id, next)
      this.side(holder).offers.push({ jobId: next.id, lease: token })
    }
    this.checkNobodyIsForgotten()
  }

  /** What this side works on under the last lease granted, and may: it was heard in time, and gave nothing back. */
  atWork(id: string): (readonly [jobId: string, lease: number])[] {
    const { holds, heardAt } = this.side(id)
    const hasGivenBack = (jobId: string, lease: number) =>
      this.everSaid.some(({ from, said }) => from === id && said.jobId === jobId && said.lease === lease)
    if (this.now - heardAt >= leaseMs) return []
    return [...holds].filter(
      ([jobId, lease]) => lease === this.granted.get(jobId) && !hasGivenBack(jobId, lease),
    )
  }

  /** Before anything is granted anew. */
  checkNobodyIsRobbed(): void {
    for (const id of downloaderIds) {
      for (const [jobId, lease] of this.atWork(id)) {
        const held = this.jobs.get(jobId)
        ok(!held || holdsLease(held, id, lease), 'two would be at work on it')
      }
    }
  }

  /** Before one more job is begun there. */
  checkSite(id: string, site: string, jobId: string): void {
    const standing = standingAt(this.side(id).rests, site, this.now)
    const there = [...this.jobs.values()].filter(
      (held) => held.id !== jobId && isHeldBy(held, id) && siteOf(held.url) === site,
    )
    ok(standing !== 'resting', 'a site at rest is left alone')
    ok(there.length < (standing === 'trying' ? 1 : perSite), `too many jobs at ${site}`)
  }

  /** What still waits says why, and where it is only a matter of time the queue wakes by itself. */
  checkNobodyIsForgotten(): void {
    const around = this.situation()
    const wake = wakeAt(around, this.now) ?? Infinity
    for (const job of around.jobs.filter(({ state }) => state === 'waiting')) {
      const { waitingFor, waitingUntil } = liveState(job, undefined, around, this.now)
      ok(waitingFor, 'it says what it waits for')
      if (waitingFor === 'retry') ok(wake <= Date.parse(waitingUntil ?? ''), 'nobody would wake')
      if (twinOf(job, around.jobs)) ok(['twin', 'retry', 'resume'].includes(waitingFor), 'a twin waits')
    }
  }

  check(): void {
    for (const id of jobIds) ok(this.ended.has(id) !== this.jobs.has(id), `job ${id} is not there once`)
    for (const id of downloaderIds) {
      const busy = [...this.jobs.values()].filter((held) => isHeldBy(held, id))
      ok(busy.length <= slots, `slots of ${id}`)
    }
    const works = [...this.jobs.values()]
      .filter(({ state }) => state !== 'waiting')
      .map(({ videoId }) => videoId)
    ok(new Set(works).size === works.length, 'nothing is fetched twice at once')
  }

  /** From here on everything works: disks have room, and there is a downloader that can do all. */
  heal(): void {
    this.pause(false)
    for (const [id, { neededBytes: _needed, avoid: _avoid, ...rest }] of this.jobs) this.jobs.set(id, rest)
    this.pass(2 * leaseMs)
    this.pass(hour)
    for (let round = 0; round < 25; round += 1) {
      for (const id of downloaderIds) {
        this.connect(id)
        this.takeOffer(id, true)
        this.finish(id, 'completed')
        this.listen(id)
      }
      this.pass(1_000)
    }
  }
}
