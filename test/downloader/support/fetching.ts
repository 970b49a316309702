import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { inject } from 'vitest'
import { Job } from '#contract/downloader-link.ts'
import type { Progress, VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { createSpaceLedger } from '../../../downloader/disk.ts'
import { finish } from '../../../downloader/finish.ts'
import type { Placement } from '../../../downloader/outbox.ts'
import { createPlacer } from '../../../downloader/placement.ts'
import { minimalEnvironment } from '../../../downloader/versions.ts'
import { download, type DownloadResult } from '../../../downloader/ytdlp/download.ts'
import { inspect, pictureOf, type Findings } from '../../../downloader/ytdlp/ffprobe.ts'
import { createProgressMeter } from '../../../downloader/ytdlp/progress.ts'
import { checkTarget } from '../../../downloader/ytdlp/target.ts'
import type { Toolbox } from '../../../downloader/ytdlp/toolbox.ts'
import { startVideoSite, type VideoSite } from '../../world/video-site/video-site.ts'
import { filesIn } from './launch.ts'

export type Got = {
  readonly result: DownloadResult
  /** Where it was placed; the code of a failure when it was not. */
  readonly placement: Placement | FailureCode
  /** What was wrong with what was fetched, in our words. */
  readonly why: string | undefined
  readonly findings: Findings | undefined
  readonly metadata: readonly VideoMetadata[]
  readonly progress: readonly Progress[]
  /** What was promised of the disk each time there was progress. */
  readonly promised: readonly number[]
}

export type Circumstances = {
  readonly reserveBytes?: number
  /** Told the job's directory before anything runs in it. */
  readonly prepare?: (directory: string) => Promise<void>
}

export type Fetching = {
  readonly site: VideoSite
  readonly library: string
  readonly files: () => Promise<string[]>
  readonly toolbox: (changes?: Partial<Toolbox>) => Toolbox
  readonly allowedHosts: readonly string[]
  readonly scratch: string
  /** Fetches, proves and places, as a job does, without a Worker that asks for it. */
  readonly fetch: (
    url: string,
    wish?: Partial<Job>,
    tools?: Partial<Toolbox>,
    circumstances?: Circumstances,
  ) => Promise<Got>
  readonly close: () => Promise<void>
}

const mediaFolder = resolve(import.meta.dirname, '../../../node_modules/.cache/video-site')
const usualLimits = { stallMs: 30_000, reserveBytes: 1_000_000, maxBytes: 50_000_000 }
const never = new AbortController().signal

/** The downloader's own steps against a video site, with the real programs and nothing between. */
export async function openFetching(): Promise<Fetching> {
  const tools = inject('tools')
  const site = await startVideoSite({ folder: mediaFolder, ffmpeg: tools.ffmpeg })
  const library = await mkdtemp(join(tmpdir(), 'medianest-library-'))
  const scratch = join(library, '.medianest')
  await mkdir(scratch)
  const environment = { ...minimalEnvironment(process.env), TMPDIR: scratch }
  const allowedHosts = [`127.0.0.1:${site.port}`]
  const toolbox = (changes: Partial<Toolbox> = {}): Toolbox => ({
    ytDlp: tools.ytDlp,
    ffmpeg: tools.ffmpeg,
    ffprobe: tools.ffprobe,
    node: process.execPath,
    environment,
    cacheDirectory: join(scratch, 'cache'),
    rateLimit: undefined,
    cookiesFile: undefined,
    proxy: undefined,
    sponsorBlockApi: undefined,
    ...changes,
  })
  const probeFile = (file: string) => inspect(file, tools.ffprobe, environment)
  const placer = createPlacer({
    libraryDirectory: library,
    plexLibraryPath: library,
    outbox: { placement: () => undefined, recordPlacement: () => undefined },
    heightOf: async (file) => {
      const found = await probeFile(file)
      return found && pictureOf(found)?.height
    },
    now: () => new Date(),
  })
  let fetched = 0
  return {
    site,
    library,
    files: () => filesIn(library),
    toolbox,
    allowedHosts,
    scratch,
    fetch: async (url, wish = {}, changed = {}, { reserveBytes, prepare } = {}) => {
      fetched += 1
      const videoId = `video-${fetched}`
      const check = checkTarget(url, allowedHosts)
      if (!check.ok) throw new Error(`${url} is refused: ${check.code}`)
      const jobId = randomUUID()
      const directory = join(scratch, jobId)
      await mkdir(directory)
      const job = Job.parse({
        jobId,
        lease: 1,
        url,
        videoId,
        quality: '1080p',
        format: 'mp4',
        attempt: 1,
        ...wish,
      })
      const run = { job, target: check.target, directory, toolbox: toolbox(changed), signal: never }
      const meter = createProgressMeter()
      const metadata: VideoMetadata[] = []
      const progress: Progress[] = []
      const promised: number[] = []
      const ledger = createSpaceLedger(usualLimits.reserveBytes, usualLimits.maxBytes)
      const limits = { ...usualLimits, ...(reserveBytes && { reserveBytes }) }
      await prepare?.(directory)
      const result = await download({
        ...run,
        limits,
        meter,
        ledger,
        onMetadata: (told) => metadata.push(told),
        onProgress: () => {
          progress.push(meter.current())
          promised.push(ledger.promisedBytes())
        },
      })
      const end =
        result.kind === 'failed'
          ? { ok: false as const, code: result.code, why: result.why }
          : await finish({ ...run, fetched: result, limits, allowedHosts, placer })
      const placement = end.ok ? end.placement : end.code
      const findings = end.ok ? await probeFile(end.placement.path) : undefined
      const why = end.ok ? undefined : end.why
      return { result, placement, why, findings, metadata, progress, promised }
    },
    close: async () => {
      await site.close()
      await rm(library, { recursive: true, force: true })
    },
  }
}

/** What was placed, or an error that says why it was not. */
export function placed({ placement, result }: Got): Placement {
  if (typeof placement !== 'string') return placement
  throw new Error(`${placement}: ${result.run.errors.join(' | ')} ${result.run.warnings.join(' | ')}`)
}

export const warningsOf = (got: Got): string[] => (placed(got).warnings ?? []).map(({ code }) => code)
