import { startBare } from './bare.ts'
import { withSystem, type BenchSystem } from './bench-system.ts'
import { measureCrowd } from './crowd.ts'
import { measureDownloads, type DownloadFigures } from './downloads.ts'
import { measureLargeLibrary, type Walk } from './large-library.ts'
import type { LoadResult } from './load.ts'
import { measureEvents } from './object-events.ts'
import { itemsForPages, pagesOf } from './pages.ts'
import { readsOf, warmLibraries } from './reads.ts'
import { compare, type Contestant } from './rounds.ts'
import { countRows } from './rows.ts'
import { percentile } from './statistics.ts'
import { figuresTable, table } from './table.ts'
import { webhooksOf } from './webhooks.ts'
import { simulate } from './zipf.ts'

const size = { count: 1_000, concurrency: 8 }
const stream = { perSecond: 100, seconds: 10 }
const downloads = 4
const deliveries = 50
const crowd = 4
const events = 20_000
const pageSize = { count: 300, concurrency: 8 }
const workloads = [100, 2_000].flatMap((keysEach) => [
  ...[0, 1, 6, 60].map((changesPerHour) => ({ keysEach, readsPerUserAndHour: 400, changesPerHour })),
  { keysEach, readsPerUserAndHour: 50, changesPerHour: 1 },
])

type Judged = Pick<LoadResult, 'wrong' | 'failures'>

/** What was measured is worth nothing when it was not the answers that were meant. */
function judge(results: readonly Judged[]): void {
  if (results.some(({ wrong, failures }) => wrong + failures > 0)) process.exitCode = 1
}

function title(text: string): void {
  console.log(`\n${text}\n`)
}

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

async function measureRowsAndDownloads(system: BenchSystem): Promise<void> {
  const rows = await countRows(system.worker.miniflare, ['deliveries', 'downloads'])
  const burst = await webhooksOf(system).burst(deliveries)
  judge([burst])
  const eachDelivery = (await rows.take('deliveries')) / deliveries
  title(
    `Downloads, ${downloads} times in turns with yt-dlp alone on the same film and with the same options.`,
  )
  console.log(downloadTable(await measureDownloads(system, downloads)))
  const eachDownload = (await rows.take('downloads')) / downloads
  title('Rows written to D1, index entries included.')
  console.log(
    table(
      ['', 'rows'],
      [
        ['a webhook, accepted and worked off', eachDelivery.toFixed(1)],
        ['a download, from the wish to the film in Plex', eachDownload.toFixed(1)],
      ],
    ),
  )
}

function downloadTable({
  kibibytes,
  bare,
  placed,
  available,
  ratio,
  differenceSeconds,
  bareFirst,
  first,
  firstRatio,
}: DownloadFigures): string {
  const seconds = (value: number): string => value.toFixed(2)
  return table(
    [`${kibibytes} KiB`, 'seconds', 'difference', 'ratio'],
    [
      ['yt-dlp alone', seconds(bare), '', '1.00×'],
      ['POST to the file in its place', seconds(placed), seconds(differenceSeconds), `${ratio.toFixed(2)}×`],
      ['POST to the film in Plex', seconds(available), '', ''],
      ['yt-dlp alone, to its first progress', seconds(bareFirst), '', '1.00×'],
      [
        'POST to the first progress that is heard',
        seconds(first),
        seconds(first - bareFirst),
        `${firstRatio.toFixed(2)}×`,
      ],
    ],
  )
}

async function measureQueue(system: BenchSystem): Promise<void> {
  const { idle, busy, programs, mostAtOnce } = await measureCrowd(system, crowd)
  title('Memory beside the library, MiB, at its greatest.')
  console.log(
    table(
      ['', 'downloader', 'yt-dlp and ffmpeg'],
      [
        ['idle', idle.toFixed(0), ''],
        [`${mostAtOnce} downloads at once`, busy.toFixed(0), programs.toFixed(0)],
      ],
    ),
  )
  const { perSecond, lost } = await measureEvents(system, events)
  title('Events from a downloader’s socket through the queue and the room to a subscriber.')
  console.log(table(['', 'a second'], [[`${events} events, one download`, perSecond.toFixed(0)]]))
  judge([{ wrong: crowd - mostAtOnce, failures: lost }])
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

const startedAt = performance.now()
await measureHitRatio()
await withSystem({}, async (system) => {
  await measureHttp(system)
  await measureStream(system)
  await measureRowsAndDownloads(system)
})
await withSystem({ downloader: { SLOTS: String(crowd) } }, measureQueue)
await withSystem({ itemsPerLibrary: itemsForPages }, measurePages)
await withSystem({ itemsPerLibrary: 50_000 }, measureLarge)
console.log(`\nMeasured in ${((performance.now() - startedAt) / 1_000).toFixed(0)} s.`)
if (process.exitCode)
  console.error('Some answers were not the ones to be measured: these figures say nothing.')
