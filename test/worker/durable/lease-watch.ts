import { env } from 'cloudflare:workers'
import { expect } from 'vitest'

import { leaseMs } from '#contract/downloader-link.ts'

import type { Held, Job } from '../../../src/youtube/job.ts'
import { storedJobs, type listen } from '../youtube/support.ts'
import type { Side } from './lease-side.ts'

/** As many tries as the queue is set to. */
const tries = 3

type Row = {
  readonly id: string
  readonly status: string
  readonly endedAt: string | null
  readonly holder: string | null
}
type Heard = Awaited<ReturnType<typeof listen>>['heard']

const isSame = (one: Held) => (other: Held) => one.jobId === other.jobId && one.lease === other.lease
const ends = new Set(['youtube:completed', 'youtube:failed', 'youtube:cancelled'])
/** What may come of a file long after its download is over. */
const later = new Set(['youtube:available', 'youtube:removed'])

/** What must never be, whatever has happened. */
export class LeaseWatch {
  readonly #sides: readonly Side[]
  readonly #tokens = new Map<string, number>()
  readonly #granted = new Set<string>()
  /** What each side held when it was looked last, and rightly so. */
  readonly #rightful = new Map<Side, readonly Held[]>()
  readonly #failures = new Map<string, number>()
  rows: readonly Row[] = []

  constructor(sides: readonly Side[]) {
    this.#sides = sides
  }

  failed(id: string): void {
    this.#failures.set(id, (this.#failures.get(id) ?? 0) + 1)
  }

  ordered(id: string, what: 'cancel' | 'retry'): void {
    for (const [side, held] of this.#rightful) {
      this.#rightful.set(
        side,
        held.filter(({ jobId }) => jobId !== id),
      )
    }
    if (what === 'cancel') return
    this.#failures.delete(id)
    this.rows = this.rows.filter((row) => row.id !== id)
  }

  /** What it may go on with: it was heard in time. */
  mayRelyOn(side: Side): readonly Held[] {
    if (Date.now() - side.heardAt >= leaseMs) return []
    return (this.#rightful.get(side) ?? []).filter((held) => side.holding.some(isSame(held)))
  }

  async look(): Promise<void> {
    const [jobs, rows] = await Promise.all([storedJobs(), readRows()])
    for (const side of this.#sides) this.#lookAt(side, jobs)
    for (const { id, lease: { token } = { token: 0 } } of jobs) {
      expect(token, 'leases only grow').toBeGreaterThanOrEqual(this.#tokens.get(id) ?? 0)
      this.#tokens.set(id, token)
    }
    this.#compare(jobs, rows)
    this.rows = rows
  }

  #lookAt(side: Side, jobs: readonly Job[]): void {
    for (const { jobId, lease } of side.granted.splice(0)) {
      const name = `${jobId} ${lease}`
      expect(this.#granted.has(name), 'each lease is granted once').toBe(false)
      this.#granted.add(name)
    }
    const leased = jobs.flatMap(({ id, state, lease }) =>
      state === 'leased' && lease?.holder === side.id ? [{ jobId: id, lease: lease.token }] : [],
    )
    // Whoever is there was told of everything that is not its own any more.
    const sure = side.isConnected ? side.holding : this.mayRelyOn(side)
    for (const held of sure) expect(leased, `${side.id} works on it, and others may`).toContainEqual(held)
    this.#rightful.set(
      side,
      side.holding.filter((held) => leased.some(isSame(held))),
    )
  }

  #compare(jobs: readonly Job[], rows: readonly Row[]): void {
    const going = rows.filter(({ endedAt }) => endedAt === null)
    expect(jobs.map(({ id }) => id).toSorted(), 'no job is lost').toEqual(
      going.map(({ id }) => id).toSorted(),
    )
    for (const row of rows) {
      const before = this.rows.find(({ id }) => id === row.id)
      if (before?.endedAt) expect(row, 'an end is final').toEqual(before)
      if (row.status === 'failed') expect(this.#failures.get(row.id)).toBeGreaterThanOrEqual(tries)
    }
  }

  /** Once everything has worked for a while. */
  expectAllIsWell(heard: Heard): void {
    const over = this.rows.filter(({ status }) => status === 'completed' || status === 'cancelled')
    expect(this.rows, 'all is completed, but for what nobody wants').toEqual(over)
    for (const { id, held, outbox, parts, placed } of this.#sides) {
      expect([...held, ...outbox, ...parts], `nothing is left at ${id}`).toEqual([])
      const own = over.filter(({ status, holder }) => status === 'completed' && holder === id)
      expect([...placed.keys()].toSorted(), `files at ${id}`).toEqual(own.map((row) => row.id).toSorted())
    }
    for (const { id } of over) expectToldOnce(heard.filter(({ data }) => data['downloadId'] === id))
  }
}

/** Each life of it begins once and ends once, and nothing is said of it in between two. */
function expectToldOnce(heard: Heard): void {
  const told = heard.filter(({ event }) => !later.has(event))
  const all = told.map(({ event }) => event).join()
  let isAlive = false
  for (const { event, data } of told) {
    const begins = event === 'youtube:created' || (event === 'youtube:retrying' && !data['failure'])
    expect(isAlive, `${event} in ${all}`).toBe(!begins)
    isAlive = !ends.has(event)
  }
  expect(isAlive, all).toBe(false)
}

async function readRows(): Promise<Row[]> {
  const columns = 'id, status, ended_at as endedAt, downloader_id as holder'
  return (await env.DB.prepare(`select ${columns} from downloads`).all<Row>()).results
}
