import { startBare } from './bare.ts'
import { withSystem, type BenchSystem } from './bench-system.ts'
import { reportDownloads } from './downloads-report.ts'
import { measureLargeLibrary, type Walk } from './large-library.ts'
import { itemsForPages, pagesOf } from './pages.ts'
import { readsOf, warmLibraries } from './reads.ts'
import { judge, title } from './report.ts'
import { compare, type Contestant } from './rounds.ts'
import { countRows } from './rows.ts'
import { percentile } from './statistics.ts'
import { figuresTable, table } from './table.ts'
import { webhooksOf } from './webhooks.ts'
import { simulate } from './zipf.ts'

const size = { count: 1_000, concurrency: 8 }
const stream = { perSecond: 100, seconds: 10 }
const deliveries = 50
const pageSize = { count: 300, concurrency: 8 }
const workloads = [100, 2_000].flatMap((keysEach) => [
  ...[0, 1, 6, 60].map((changesPerHour) => ({ keysEach, readsPerUserAndHour: 400, changesPerHour })),
  { keysEach, readsPerUserAndHour: 50, changesPerHour: 1 },
])

async function measureHttp(system: BenchSystem): Promise<void> {
  const [one, other] = await warmLibraries(system)
  if (!one || !other) throw new Error('two friends are needed')
  const bare = await startBare(system, one.body)
  const yardstick: Contestant = {
    ...size,
    name: 'a bare Hono route',
    baseUrl: bare.url,
    call: () => ({ path: '/' }),
    accepts: ({ status, bytes }) => status === 200 && bytes === one.body.length,
  }
  try {
    title(`Reads, ${size.concurrency} at once, in turns. The ratio is of the p50 to the bare route's.`)
    const reads = await compare([yardstick, ...readsOf(system, [one, other], size)])
    console.log(figuresTable(reads))
    title(`Webhooks, ${size.concurrency} at once, in turns with the bare route.`)
    const webhooks = await webhooksOf(system).compareWith(yardstick)
    console.log(figuresTable(webhooks))
    judge([...reads, ...webhooks])
  } finally {
    await bare.stop()
  }
}

async function measureStream(system: BenchSystem): Promise<void> {
  title(`Webhooks, ${stream.perSecond} a second for ${stream.seconds} s.`)
  const result = await webhooksOf(system).stream(stream)
  const ms = (share: number): string => percentile(result.latencies, share).toFixed(1)
  const answers = Array.from(result.statuses, ([status, count]) => `${status}: ${count}`).join(', ')
  const row = [ms(0.5), ms(0.95), ms(0.99), ms(1), answers]
  console.log(
    table(['', 'p50 ms', 'p95 ms', 'p99 ms', 'max ms', 'answers'], [['POST /api/webhooks/github', ...row]]),
  )
  judge([result])
}

async function measureDeliveryRows(system: BenchSystem): Promise<void> {
  const rows = await countRows(system.worker.miniflare, ['deliveries'])
  judge([await webhooksOf(system).burst(deliveries)])
  const each = (await rows.take('deliveries')) / deliveries
  title('Rows a webhook writes to D1, index entries included.')
  console.log(table(['', 'rows'], [['accepted and worked off', each.toFixed(1)]]))
}

async function measurePages(system: BenchSystem): Promise<void> {
  for (const size of [pageSize, { ...pageSize, count: 100, perSecond: 40 }]) {
    const { plexAlone, ours } = await pagesOf(system, size)
    const { body } = ours.first
    const bare = await startBare(system, body)
    const route: Contestant = {
      ...size,
      name: 'a bare Hono route',
      baseUrl: bare.url,
      call: () => ({ path: '/' }),
      accepts: ({ status, bytes }) => status === 200 && bytes === Buffer.byteLength(body),
    }
    try {
      const pace = 'perSecond' in size ? `${size.perSecond} a second` : `${size.concurrency} at once`
      title(`Pages of 20 items, ${pace}, in turns. Ratios are of the p50s.`)
      const figures = await compare([route, plexAlone, ...ours.contestants], { yardsticks: 2 })
      console.log(figuresTable(figures, ['to the route', 'to Plex']))
      judge(figures)
    } finally {
      await bare.stop()
    }
  }
}

async function measureHitRatio(): Promise<void> {
  title(
    'The cache alone, eight hours on a clock of its own: 20 users, Zipf’s law, one of five libraries changes.',
  )
  const rows: string[][] = []
  for (const workload of workloads) {
    const { reads, hits, stale, ratio } = await simulate({ users: 20, ...workload })
    const percent = (part: number): string => `${((100 * part) / reads).toFixed(1)} %`
    rows.push([
      `${workload.keysEach} pages each`,
      String(workload.readsPerUserAndHour),
      String(workload.changesPerHour),
      percent(hits),
      percent(stale),
      `${(100 * ratio).toFixed(1)} %`,
    ])
  }
  console.log(table(['', 'reads/h of each', 'changes/h', 'HIT', 'STALE', 'not waiting'], rows))
}

async function measureLarge(system: BenchSystem): Promise<void> {
  const { items, idleMebibytes, cold, cached, whole } = await measureLargeLibrary(system)
  title(`A library of ${items} items, paged through by hundreds, one after the other.`)
  const row = (name: string, { pages, seconds, p50, p99, mebibytes }: Walk): string[] => [
    name,
    String(pages),
    seconds.toFixed(1),
    p50.toFixed(1),
    p99.toFixed(1),
    mebibytes.toFixed(0),
  ]
  const head = ['', 'pages', 'seconds', 'p50 ms', 'p99 ms', 'MiB of workerd']
  const idle = ['before', '', '', '', '', idleMebibytes.toFixed(0)]
  console.log(table(head, [idle, row('through Plex', cold), row('again, from the cache', cached)]))
  judge([{ wrong: whole ? 0 : 1, failures: 0 }])
}

const parts: Readonly<Record<string, () => Promise<void>>> = {
  cache: measureHitRatio,
  http: () =>
    withSystem({}, async (system) => {
      await measureHttp(system)
      await measureStream(system)
      await measureDeliveryRows(system)
    }),
  downloads: reportDownloads,
  pages: () => withSystem({ itemsPerLibrary: itemsForPages }, measurePages),
  large: () => withSystem({ itemsPerLibrary: 50_000 }, measureLarge),
}

const startedAt = performance.now()
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts)
for (const name of wanted) {
  const measure = parts[name]
  if (!measure) throw new Error(`there is no ${name} to measure, only ${Object.keys(parts).join(', ')}`)
  await measure()
}
console.log(`\nMeasured in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s.`)
if (process.exitCode)
  console.error('Some answers were not the ones to be measured: these figures say nothing.')
