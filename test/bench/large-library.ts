import * as z from 'zod'

import { bearer, type BenchSystem } from './bench-system.ts'
import { mebibytesOf } from './memory.ts'
import { percentile } from './statistics.ts'

export type Walk = {
  readonly pages: number
  readonly seconds: number
  readonly p50: number
  readonly p99: number
  /** What the runtime holds in memory after the walk. */
  readonly mebibytes: number
}

export type LargeLibrary = {
  readonly items: number
  readonly idleMebibytes: number
  readonly cold: Walk
  readonly cached: Walk
  /** Whether each item came once, and all came. */
  readonly whole: boolean
}

const Page = z.object({
  data: z.array(z.object({ ratingKey: z.string() })),
  meta: z.object({ total: z.int() }),
})
const limit = 100

/** Pages through the largest library there is, twice: through Plex, and through the cache. */
export async function measureLargeLibrary(system: BenchSystem): Promise<LargeLibrary> {
  const idleMebibytes = memoryOf(system)
  const first = await walk(system)
  const second = await walk(system)
  return {
    items: first.keys.size,
    idleMebibytes,
    cold: first,
    cached: second,
    whole: [first, second].every(({ keys, total, received }) => keys.size === total && received === total),
  }
}

async function walk(system: BenchSystem) {
  const headers = bearer(system.demo.admin)
  const keys = new Set<string>()
  const latencies: number[] = []
  const startedAt = performance.now()
  let received = 0
  let total = Number.POSITIVE_INFINITY
  for (let offset = 0; offset < total; offset += limit) {
    const askedAt = performance.now()
    const response = await fetch(
      `${system.baseUrl}/api/plex/libraries/1/items?limit=${limit}&offset=${offset}`,
      { headers },
    )
    const text = await response.text()
    latencies.push(performance.now() - askedAt)
    const { data, meta } = Page.parse(JSON.parse(text))
    for (const { ratingKey } of data) keys.add(ratingKey)
    received += data.length
    total = meta.total
    if (data.length === 0) break
  }
  const sorted = latencies.toSorted((a, b) => a - b)
  return {
    keys,
    total,
    received,
    pages: latencies.length,
    seconds: (performance.now() - startedAt) / 1_000,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    mebibytes: memoryOf(system),
  }
}

/** What the runtime's processes hold in memory. */
const memoryOf = ({ worker }: BenchSystem): number =>
  worker.processIds().reduce((sum, pid) => sum + mebibytesOf(pid), 0)
