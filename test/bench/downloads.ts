import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

import { downloadArguments, finishedFolder } from '../../downloader/ytdlp/arguments.ts'
import { parseRecords } from '../../downloader/ytdlp/records.ts'
import { createNonce } from '../../downloader/ytdlp/toolbox.ts'
import { createClient, expectStatus, type Person } from '../../scripts/demo/client.ts'
import { listen, type Frame, type Listener } from '../../scripts/demo/listener.ts'
import type { BenchSystem } from './bench-system.ts'
import { median } from './statistics.ts'

/** Medians over the runs, seconds; ratio and difference are within a pair, up to where the file is in its place. */
export type DownloadFigures = {
  readonly kibibytes: number
  readonly bare: number
  readonly placed: number
  readonly available: number
  readonly ratio: number
  readonly differenceSeconds: number
  /** Of the file in its place, by how many seconds it comes after the times of the goal. */
  readonly overSeconds: number
  /** Until the first byte was told of: by yt-dlp alone, and to the subscriber after the POST. */
  readonly bareFirst: number
  readonly first: number
  readonly firstRatio: number
}

type Ours = { readonly first: number; readonly placed: number; readonly available: number }
type Bare = { readonly bareFirst: number; readonly bare: number }

const wish = { quality: '720p', format: 'mp4' } as const
/** To be in its place within this many times what yt-dlp alone takes, and so many seconds. */
export const goal = { times: 1.05, seconds: 0.3 } as const
/** So that the film takes about four seconds, however fast the machine is. */
const bytesPerSecond = 450_000

/** A download through everything there is, against yt-dlp alone with the same options, in turns. */
export async function measureDownloads(system: BenchSystem, runs: number): Promise<DownloadFigures> {
  const { demo, world } = system
  const [friend] = demo.friends
  if (!friend) throw new Error('nobody is there to download')
  const { bytes, url } = world.videoSite.video('slow')
  const listener = await listen(createClient(demo.baseUrl), demo.liveUrl, friend)
  const pairs: (Ours & Bare)[] = []
  try {
    for (let run = 0; run < runs; run += 1) {
      // Another address each time: what has been fetched once is not fetched again.
      const video = `${url.replace('/watch/', `/watch/rate=${bytesPerSecond}/`)}?run=${run}`
      const alone = () => runBare(system, video)
      const whole = () => runOurs(system, friend, listener, video)
      // Who comes second may find things warm.
      if (run % 2 === 0) pairs.push({ ...(await alone()), ...(await whole()) })
      else pairs.push({ ...(await whole()), ...(await alone()) })
    }
  } finally {
    listener.close()
  }
  const middle = (of: (pair: Ours & Bare) => number): number => median(pairs.map(of))
  return {
    kibibytes: Math.round(bytes / 1024),
    bare: middle(({ bare }) => bare),
    placed: middle(({ placed }) => placed),
    available: middle(({ available }) => available),
    ratio: middle(({ bare, placed }) => placed / bare),
    differenceSeconds: middle(({ bare, placed }) => placed - bare),
    overSeconds: middle(({ bare, placed }) => placed - goal.times * bare),
    bareFirst: middle(({ bareFirst }) => bareFirst),
    first: middle(({ first }) => first),
    firstRatio: middle(({ bareFirst, first }) => first / bareFirst),
  }
}

async function runBare({ tools }: BenchSystem, url: string): Promise<Bare> {
  const directory = await mkdtemp(join(tmpdir(), 'medianest-yt-dlp-'))
  try {
    const nonce = createNonce()
    const options = downloadArguments({
      ...wish,
      url,
      directory,
      nonce,
      cacheDirectory: join(directory, 'cache'),
      nodePath: process.execPath,
      ffmpegPath: tools.ffmpeg,
      rateLimit: undefined,
      cookiesFile: undefined,
      proxy: undefined,
      sponsorBlockApi: undefined,
      extras: { chapters: true, thumbnail: true },
    })
    const startedAt = performance.now()
    const seconds = (): number => (performance.now() - startedAt) / 1_000
    const program = spawn(tools.ytDlp, options, { cwd: directory, stdio: ['ignore', 'pipe', 'ignore'] })
    let bareFirst: number | undefined
    createInterface({ input: program.stdout }).on('line', (line) => {
      const arrived = parseRecords(line, nonce)?.some(
        (record) => record.kind === 'tick' && (record.tick.downloaded_bytes ?? 0) > 0,
      )
      if (arrived) bareFirst ??= seconds()
    })
    await once(program, 'close')
    const bare = seconds()
    if ((await stat(join(directory, finishedFolder, 'media.mp4'))).size === 0)
      throw new Error('yt-dlp left no film')
    if (bareFirst === undefined) throw new Error('yt-dlp told of no progress')
    return { bareFirst, bare }
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function runOurs(
  { baseUrl }: BenchSystem,
  friend: Person,
  listener: Listener,
  url: string,
): Promise<Ours> {
  const client = createClient(baseUrl)
  const startedAt = performance.now()
  const seconds = (): number => (performance.now() - startedAt) / 1_000
  const { data } = expectStatus(
    await client.post('/api/youtube/download', { ...wish, url }, friend),
    201,
  ).body
  const told = async (what: string, fits: (frame: Frame) => boolean): Promise<void> => {
    const ours = (frame: Frame): boolean => frame.data.downloadId === data.id
    const { event } = await listener.until(
      what,
      (frame) => ours(frame) && (fits(frame) || frame.event === 'youtube:failed'),
    )
    if (event === 'youtube:failed') throw new Error('the download failed')
  }
  await told(
    'the first byte',
    ({ event, data }) =>
      event === 'youtube:progress' && data.phase === 'downloading' && data.downloadedBytes > 0,
  )
  const first = seconds()
  await told(
    'the file in its place',
    ({ event, data }) => event === 'youtube:processing' && data.phase === 'scanning',
  )
  const placed = seconds()
  await told('the film in Plex', ({ event }) => event === 'youtube:available')
  const available = seconds()
  const answer = await client.get(`/api/youtube/downloads/${data.id}`, friend)
  if (answer.body.data.status !== 'completed') throw new Error(`the download is ${answer.body.data.status}`)
  return { first, placed, available }
}
