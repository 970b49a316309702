import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { officialReleases } from '../downloader/update/release.ts'
import { findFfmpeg, installFfmpeg, probeFfmpeg, type Ffmpeg } from './tools/ffmpeg.ts'
import { underLock } from './tools/lock.ts'
import { findOnPath, isExecutable } from './tools/run.ts'
import {
  findYtDlp,
  installYtDlp,
  oldestForYouTube,
  probeYtDlp,
  servesYouTube,
  type Log,
  type YtDlp,
} from './tools/yt-dlp.ts'

export type Tools = {
  readonly ytDlp: string
  readonly ytDlpVersion: string
  /** False when the only yt-dlp there is, is too old for YouTube. */
  readonly youtube: boolean
  readonly ffmpeg: string
  readonly ffprobe: string
  readonly ffmpegVersion: string
  /** A Node that yt-dlp accepts for YouTube's challenges. */
  readonly jsRuntime?: string
}

export type EnsureOptions = {
  readonly tools?: string
  readonly releases?: string
  readonly env?: NodeJS.ProcessEnv
}

const project = resolve(import.meta.dirname, '..')
const oldestNodeForYtDlp = 22

/** Finds yt-dlp, ffmpeg and ffprobe, installing into the tools folder what is missing; throws what to install by hand. */
export async function ensureTools(log: Log, options: EnsureOptions = {}): Promise<Tools> {
  const tools = options.tools ?? join(project, '.tools')
  const env = options.env ?? process.env
  const look = async (): Promise<[YtDlp | undefined, Ffmpeg | undefined]> =>
    Promise.all([chosenYtDlp(tools, env['YT_DLP_PATH']), chosenFfmpeg(tools, env['FFMPEG_PATH'])])

  let [ytDlp, ffmpeg] = await look()
  if (needsYtDlp(ytDlp, env) || !ffmpeg) {
    await mkdir(tools, { recursive: true })
    await underLock(join(tools, 'lock'), async () => {
      ;[ytDlp, ffmpeg] = await look()
      const advice: string[] = []
      if (needsYtDlp(ytDlp, env)) {
        const releases = options.releases ?? officialReleases
        advice.push(...some(await installYtDlp({ tools, log, releases })))
      }
      if (!ffmpeg) advice.push(...some(await installFfmpeg(tools, log)))
      ;[ytDlp, ffmpeg] = await look()
      if (!ytDlp || !ffmpeg) throw new Error(advice.join('\n') || 'yt-dlp or ffmpeg is missing')
      for (const line of advice) log(line)
    })
  }
  if (!ytDlp || !ffmpeg) throw new Error('yt-dlp or ffmpeg is missing')
  return describe(ytDlp, ffmpeg, await findJsRuntime(), log)
}

function describe(ytDlp: YtDlp, ffmpeg: Ffmpeg, jsRuntime: string | undefined, log: Log): Tools {
  const youtube = servesYouTube(ytDlp)
  if (!youtube)
    log(`yt-dlp ${ytDlp.version} is too old for YouTube, which needs ${oldestForYouTube} or newer`)
  return {
    ytDlp: ytDlp.path,
    ytDlpVersion: ytDlp.version,
    youtube,
    ffmpeg: ffmpeg.ffmpeg,
    ffprobe: ffmpeg.ffprobe,
    ffmpegVersion: ffmpeg.version,
    ...(jsRuntime === undefined ? {} : { jsRuntime }),
  }
}

/** What an operator names is taken as it is, or refused; it is never quietly replaced. */
async function chosenYtDlp(tools: string, named: string | undefined): Promise<YtDlp | undefined> {
  if (!named) return findYtDlp(tools)
  const probed = await probeYtDlp(await findOnPath(resolve(named)))
  if (!probed) throw new Error('YT_DLP_PATH does not name a yt-dlp that runs; correct it or unset it')
  return probed
}

async function chosenFfmpeg(tools: string, named: string | undefined): Promise<Ffmpeg | undefined> {
  if (!named) return findFfmpeg(tools)
  const probed = await probeFfmpeg(await findOnPath(resolve(named)))
  if (!probed)
    throw new Error('FFMPEG_PATH does not name an ffmpeg that runs with ffprobe; correct it or unset it')
  return probed
}

function needsYtDlp(found: YtDlp | undefined, env: NodeJS.ProcessEnv): boolean {
  return !found || (!env['YT_DLP_PATH'] && !servesYouTube(found))
}

async function findJsRuntime(): Promise<string | undefined> {
  if (Number.parseInt(process.versions.node, 10) >= oldestNodeForYtDlp) return process.execPath
  const bundled = join(project, 'node_modules', 'node', 'bin', 'node')
  return (await isExecutable(bundled)) ? bundled : undefined
}

function some(text: string | undefined): string[] {
  return text === undefined ? [] : [text]
}

if (import.meta.main) {
  try {
    const tools = await ensureTools((line) => console.error(line))
    console.log(JSON.stringify(tools, null, 2))
  } catch (error) {
    console.error(error instanceof Error ? error.message : error)
    process.exitCode = 1
  }
}
