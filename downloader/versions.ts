import { execa } from 'execa'
import type { DownloaderVersions, downloaderTroubles } from '#contract/downloader-link.ts'

export type Trouble = (typeof downloaderTroubles)[number]

export type ToolVersions = {
  readonly ytDlp: string | undefined
  readonly ytDlpAgeDays: number | undefined
  readonly ffmpeg: string | undefined
  /** What yt-dlp says it will solve YouTube's challenges on. */
  readonly jsRuntime: string | undefined
  /** The scripts that solve them, if they came with this yt-dlp. */
  readonly challengeSolver: string | undefined
  readonly troubles: readonly Trouble[]
}

export type ToolPaths = {
  readonly ytDlp: string
  readonly ffmpeg: string
  readonly ffprobe: string
  readonly node: string
}

export type YtDlpFacts = {
  readonly version: string
  readonly jsRuntime?: string | undefined
  readonly challengeSolver?: string | undefined
}

type Environment = Readonly<Record<string, string>>

export const downloaderVersion = '0.1.0'

/** The first release that speaks to YouTube as it is, with Node as its JavaScript runtime. */
const oldestYtDlp = '2026.06.09'
const oldestNode = 22
/** From here on yt-dlp itself asks to be updated. */
const oldAfterDays = 90
const dayMs = 24 * 60 * 60_000
const timeoutMs = 15_000

export async function checkTools(
  paths: ToolPaths,
  environment: Environment,
  now: Date,
  node: string = process.versions.node,
): Promise<ToolVersions> {
  const [ytDlp, ffmpeg, ffprobe] = await Promise.all([
    askYtDlp(paths, environment),
    ask(environment, paths.ffmpeg, '-version'),
    ask(environment, paths.ffprobe, '-version'),
  ])
  const ageDays = ytDlp && ageInDays(ytDlp.version, now)
  const troubles: Trouble[] = []
  if (!ytDlp) troubles.push('ytdlp-missing')
  else if (isOutdated(ytDlp.version)) troubles.push('ytdlp-outdated')
  else if (ageDays !== undefined && ageDays > oldAfterDays) troubles.push('ytdlp-old')
  if (!ffmpeg || !ffprobe) troubles.push('ffmpeg-missing')
  if (Number.parseInt(node, 10) < oldestNode) troubles.push('js-runtime-unsupported')
  return {
    ytDlp: ytDlp?.version,
    ytDlpAgeDays: ageDays,
    ffmpeg: ffmpeg && /^ffmpeg version (\S+)/.exec(ffmpeg)?.[1],
    jsRuntime: ytDlp?.jsRuntime,
    challengeSolver: ytDlp?.challengeSolver,
    troubles,
  }
}

/** As they are reported; what is not known is left out. */
export function reportVersions(tools: ToolVersions): DownloaderVersions {
  const { ytDlp, ytDlpAgeDays, ffmpeg, jsRuntime, challengeSolver } = tools
  return {
    downloader: downloaderVersion,
    node: process.versions.node,
    ...(ytDlp && { ytDlp }),
    ...(ytDlpAgeDays !== undefined && { ytDlpAgeDays }),
    ...(ffmpeg && { ffmpeg }),
    ...(jsRuntime && { jsRuntime }),
    ...(challengeSolver && { challengeSolver }),
  }
}

/** What a yt-dlp says of itself and of what it finds; undefined when it does not run. */
export async function askYtDlp(
  { ytDlp, node }: Pick<ToolPaths, 'ytDlp' | 'node'>,
  environment: Environment,
): Promise<YtDlpFacts | undefined> {
  const always = ['--ignore-config', '--no-plugin-dirs']
  const runtime = ['--no-js-runtimes', '--js-runtimes', `node:${node}`]
  // Without an address it ends with an error, after the lines that are wanted.
  const { stderr } = await execa(ytDlp, [...always, ...runtime, '--no-update', '-v'], {
    ...quietly(environment),
  })
  const facts = parseDebugLines(stderr)
  if (facts) return facts
  // One that does not know these options is old; what it is called is told all the same.
  const version = await ask(environment, ytDlp, ...always, '--version')
  return version ? { version } : undefined
}

export function parseDebugLines(text: string): YtDlpFacts | undefined {
  const version = /^\[debug\] yt-dlp version (?:[\w.-]+@)?(\d{4}\.\d{2}\.\d{2}[\w.]*)/m.exec(text)?.[1]
  if (!version) return undefined
  const runtimes = /^\[debug\] JS runtimes: (.*)$/m.exec(text)?.[1]?.split(', ')
  const libraries = /^\[debug\] Optional libraries: (.*)$/m.exec(text)?.[1]?.split(', ')
  const solver = libraries?.find((library) => library.startsWith('yt_dlp_ejs'))
  return {
    version,
    jsRuntime: runtimes?.find((found) => /^\w+-[\d.]+$/.test(found)),
    challengeSolver: solver && solver.replace('yt_dlp_ejs-', ''),
  }
}

async function ask(environment: Environment, file: string, ...args: string[]): Promise<string | undefined> {
  const { failed, stdout } = await execa(file, args, quietly(environment))
  return failed ? undefined : stdout.trim()
}

function quietly(environment: Environment) {
  return { env: environment, extendEnv: false, stdin: 'ignore', reject: false, timeout: timeoutMs } as const
}

/** Versions are dates. One that is not a date is somebody's own build, and trusted. */
export function isOutdated(version: string): boolean {
  const date = dateOf(version)
  return date !== undefined && date < oldestYtDlp.replaceAll('.', '-')
}

export function ageInDays(version: string, now: Date): number | undefined {
  const date = dateOf(version)
  const releasedAt = date === undefined ? Number.NaN : Date.parse(date)
  return Number.isNaN(releasedAt) ? undefined : Math.max(0, Math.floor((now.getTime() - releasedAt) / dayMs))
}

function dateOf(version: string): string | undefined {
  const parts = /^(\d{4})\.(\d{1,2})\.(\d{1,2})/.exec(version)?.slice(1)
  return parts?.map((part) => part.padStart(2, '0')).join('-')
}

/** Child programs see no more of the environment than they need: no token, and no proxy that was not asked for. */
export function minimalEnvironment(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const kept = ['PATH', 'HOME', 'TMPDIR', 'SSL_CERT_FILE', 'SSL_CERT_DIR'].flatMap((name) => {
    const value = env[name]
    return value === undefined ? [] : [[name, value] as const]
  })
  return { ...Object.fromEntries(kept), LANG: 'C.UTF-8', LC_ALL: 'C.UTF-8', PYTHONUTF8: '1' }
}
