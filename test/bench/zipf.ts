import { createAnswerCache, type AnswerStore } from '../../src/platform/answer-cache.ts'
import { createGenerations } from '../../src/platform/generations.ts'

export type Workload = {
  readonly users: number
  /** What each of them may read, the first the most by far. */
  readonly keysEach: number
  readonly readsPerUserAndHour: number
  /** Of one of five libraries at a time. */
  readonly changesPerHour: number
}

export type Outcome = {
  readonly reads: number
  readonly hits: number
  readonly stale: number
  /** Of all reads, those that did not wait for Plex. */
  readonly ratio: number
}

const hours = 8
const libraries = 5

/** The cache itself, on a clock that runs ahead: a working day of reads that follow Zipf's law, and of changes. */
export async function simulate(workload: Workload): Promise<Outcome> {
  const { users, keysEach, readsPerUserAndHour, changesPerHour } = workload
  const random = seeded(20_261_122)
  const clock = { now: 0 }
  const changes = countChanges()
  const generations = createGenerations(
    () => changes,
    () => ({ cached: 0, asked: 0 }),
    () => clock.now,
  )
  const cache = createAnswerCache({
    kv: inMemory(),
    generations,
    server: 'bench',
    onRead: () => undefined,
    maxStaleMs: 24 * 3_600_000,
    now: () => clock.now,
    random,
    wait: () => new Promise(() => undefined),
    log: () => undefined,
  })
  const draw = zipf(keysEach, random)
  const reads = Math.round(users * readsPerUserAndHour * hours)
  const stepMs = (hours * 3_600_000) / reads
  const changeEvery = changesPerHour > 0 ? 3_600_000 / changesPerHour : Number.POSITIVE_INFINITY
  const states = { HIT: 0, STALE: 0, MISS: 0 }
  let nextChange = changeEvery

  for (let read = 0; read < reads; read += 1) {
    // As far apart as visitors come: at random, and so many in the middle.
    clock.now += -Math.log(1 - random()) * stepMs
    for (; clock.now >= nextChange; nextChange += changeEvery)
      await changes.changed(String(Math.floor(random() * libraries)))
    const behind: Promise<unknown>[] = []
    const key = draw()
    const { state } = await cache.read({
      scope: `user-${Math.floor(random() * users)}`,
      name: `key:${key}`,
      ...kindOf(key),
      load: async () => ({ key }),
      background: (work) => void behind.push(work),
    })
    states[state] += 1
    await Promise.all(behind)
  }
  return { reads, hits: states.HIT, stale: states.STALE, ratio: (states.HIT + states.STALE) / reads }
}

/** Nine of ten are of one library, an item or a page of it; the others span them all, and half of those are searches. */
function kindOf(key: number): { readonly changesWith: string; readonly ttlMs: number } {
  const minutes = 60_000
  if (key % 20 === 9) return { changesWith: 'any', ttlMs: 5 * minutes }
  return { changesWith: key % 20 === 19 ? 'any' : String(key % libraries), ttlMs: 30 * minutes }
}

function countChanges() {
  let known: Readonly<Record<string, number>> = {}
  return {
    generations: async () => known,
    changed: async (key: string) => {
      known = { ...known, any: (known['any'] ?? 0) + 1, [key]: (known[key] ?? 0) + 1 }
      return known
    },
    claimRenewal: async () => true,
  }
}

function inMemory(): AnswerStore {
  const entries = new Map<string, { readonly value: string; readonly metadata: unknown }>()
  return {
    getWithMetadata: async (key) => entries.get(key) ?? { value: null, metadata: null },
    put: async (key, value, { metadata }) => void entries.set(key, { value, metadata }),
    delete: async (key) => void entries.delete(key),
  }
}

/** The n-th of all is drawn an n-th as often as the first. */
export function zipf(count: number, random: () => number): () => number {
  const sums: number[] = []
  for (let rank = 1, sum = 0; rank <= count; rank += 1) sums.push((sum += 1 / rank))
  const all = sums.at(-1) ?? 0
  return () => {
    const wanted = random() * all
    let [low, high] = [0, count - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((sums[middle] ?? 0) < wanted) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** The same numbers each time: mulberry32. */
export function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d_2b_79_f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
