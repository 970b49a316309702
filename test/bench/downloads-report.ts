import { withSystem, type BenchSystem } from './bench-system.ts'
import { measureCrowd } from './crowd.ts'
import { goal, measureDownloads, type DownloadFigures } from './downloads.ts'
import { measureEvents } from './object-events.ts'
import { judge, title } from './report.ts'
import { countRows } from './rows.ts'
import { table } from './table.ts'

const runs = 4
const crowd = 4
const events = 20_000

/** All that there is to say of downloads. */
export async function reportDownloads(): Promise<void> {
  await withSystem({}, reportTurns)
  const atOnce = String(crowd)
  await withSystem(
    { vars: { DOWNLOADS_PER_SITE: atOnce }, downloader: { SLOTS: atOnce } },
    async (system) => {
      await reportCrowd(system)
      await reportEvents(system)
    },
  )
}

async function reportTurns(system: BenchSystem): Promise<void> {
  const rows = await countRows(system.worker.miniflare, ['downloads'])
  title(`Downloads, ${runs} times in turns with yt-dlp alone on the same film and with the same options.`)
  console.log(downloadTable(await measureDownloads(system, runs)))
  const each = (await rows.take('downloads')) / runs
  title(
    'Rows a download writes to D1, index entries included. The 4 in objects are what test/worker/youtube/rows.test.ts proves.',
  )
  console.log(table(['', 'rows'], [['from the wish to the film in Plex', each.toFixed(1)]]))
}

function downloadTable({
  kibibytes,
  bare,
  placed,
  available,
  ratio,
  differenceSeconds,
  overSeconds,
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
      [`over ${goal.times} × yt-dlp alone, at most ${seconds(goal.seconds)}`, '', seconds(overSeconds), ''],
      ['POST to the film in Plex', seconds(available), '', ''],
      ['yt-dlp alone, to its first bytes', seconds(bareFirst), '', '1.00×'],
      [
        'POST to the first bytes that are heard of',
        seconds(first),
        seconds(first - bareFirst),
        `${firstRatio.toFixed(2)}×`,
      ],
    ],
  )
}

async function reportCrowd(system: BenchSystem): Promise<void> {
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
  judge([{ wrong: mostAtOnce === crowd ? 0 : 1, failures: 0 }])
}

async function reportEvents(system: BenchSystem): Promise<void> {
  const { perSecond, lost } = await measureEvents(system, events)
  title('Events from a downloader’s socket through the queue and the room to a subscriber.')
  console.log(table(['', 'a second'], [[`${events} events, one download`, perSecond.toFixed(0)]]))
  judge([{ wrong: 0, failures: lost }])
}
