import type { Config } from './config.ts'
import { openPrograms } from './update/programs.ts'
import type { Programs } from './update/programs.ts'
import { minimalEnvironment } from './versions.ts'
import type { Workspace } from './workspace.ts'
import type { Toolbox } from './ytdlp/toolbox.ts'

export type Tools = {
  readonly programs: Programs
  /** The tools for a run that begins now. */
  readonly toolbox: () => Toolbox
}

export function findTools(
  config: Config,
  workspace: Workspace,
  env: Readonly<Record<string, string | undefined>>,
): Tools {
  const programs = openPrograms(workspace.tools, config.ytDlpPath)
  const fixed = {
    ffmpeg: config.ffmpegPath,
    ffprobe: config.ffprobePath,
    node: process.execPath,
    // Nothing but the working folders has to be writable.
    environment: { ...minimalEnvironment(env), TMPDIR: workspace.scratch },
    cacheDirectory: workspace.cache,
    rateLimit: config.rateLimit,
    cookiesFile: config.cookiesFile,
    sponsorBlockApi: config.sponsorBlockApi,
    proxy: config.proxy,
  }
  return { programs, toolbox: () => ({ ytDlp: programs.path(), ...fixed }) }
}
