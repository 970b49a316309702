import { execa } from 'execa'
import type { downloaderTroubles } from '#contract/downloader-link.ts'

export type Trouble = (typeof downloaderTroubles)[number]

export type ToolVersions = {
  readonly ytDlp: string | undefined
  readonly ffmpeg: string | undefined
  readonly troubles: readonly Trouble[]
}

export type ToolPaths = { readonly ytDlp: string; readonly ffmpeg: string; readonly ffprobe: string }

/** The first release that speaks to YouTube as it is, with Node as its JavaScript runtime. */
const oldestYtDlp = '2026.06.09'
const oldestNode = 22

export async function checkTools(
  paths: ToolPaths,
  environment: Readonly<Record<string, string>>,
  node: string = process.versions.node,
): Promise<ToolVersions> {
  const ask = async (file: string, ...args: string[]): Promise<string | undefined> => {
    const { failed, stdout } = await execa(file, args, {
      env: environment,
      extendEnv: false,
      stdin: 'ignore',
      reject: false,
      timeout: 30_000,
    })
    return failed ? undefined : stdout.trim()
  }
  const [ytDlp, ffmpeg, ffprobe] = await Promise.all([
    ask(paths.ytDlp, '--ignore-config', '--no-plugin-dirs', '--version'),
    ask(paths.ffmpeg, '-version'),
    ask(paths.ffprobe, '-version'),
  ])
  const troubles: Trouble[] = []
  if (!ytDlp) troubles.push('ytdlp-missing')
  else if (isOutdated(ytDlp)) troubles.push('ytdlp-outdated')
  if (!ffmpeg || !ffprobe) troubles.push('ffmpeg-missing')
  if (Number.parseInt(node, 10) < oldestNode) troubles.push('js-runtime-unsupported')
  return {
    ytDlp: ytDlp || undefined,
    ffmpeg: ffmpeg && /^ffmpeg version (\S+)/.exec(ffmpeg)?.[1],
    troubles,
  }
}

/** Versions are dates. One that is not a date is somebody's own build, and trusted. */
export function isOutdated(version: string): boolean {
  const date = /^(\d{4})\.(\d{1,2})\.(\d{1,2})/.exec(version)
  if (!date) return false
  const padded = date
    .slice(1, 4)
    .map((part) => part.padStart(2, '0'))
    .join('.')
  return padded < oldestYtDlp
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
