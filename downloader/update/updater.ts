import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { execa } from 'execa'
import type { Config } from '../config.ts'
import type { Tools } from '../tools.ts'
import { askYtDlp } from '../versions.ts'
import type { Workspace } from '../workspace.ts'
import { alone } from './alone.ts'
import { flyCanary } from './canary.ts'
import { releaseAsset } from './release.ts'
import type { UpdateOutcome, Updater } from './update.ts'

/** What an update works with, on this machine and with these settings. */
export function createUpdater(
  config: Config,
  workspace: Workspace,
  { programs, toolbox }: Tools,
  signal: AbortSignal,
): Updater {
  return {
    programs,
    releases: config.ytDlpReleases,
    asset: async () => releaseAsset(await hasPython(toolbox().environment), process.platform, process.arch),
    ask: (program) => askYtDlp({ ytDlp: program, node: toolbox().node }, toolbox().environment),
    canary: (program) =>
      flyCanary(
        { ...toolbox(), ytDlp: program },
        {
          url: config.canaryUrl,
          allowedHosts: config.allowedHosts,
          limits: config,
          scratchDirectory: workspace.scratch,
          signal,
        },
      ),
    signal,
    now: () => new Date(),
  }
}

/** Never two updates of one state folder at once. */
export async function oneAtATime(
  { tools }: Workspace,
  work: () => Promise<UpdateOutcome>,
): Promise<UpdateOutcome> {
  await mkdir(tools, { recursive: true, mode: 0o700 })
  return (await alone(join(tools, 'update.lock'), work)) ?? { kind: 'busy' }
}

/** The zipapp asks for `python3` by that name. */
async function hasPython(environment: Readonly<Record<string, string>>): Promise<boolean> {
  const recent = 'import sys, ssl; sys.exit(sys.version_info < (3, 11))'
  const { failed } = await execa('python3', ['-I', '-c', recent], {
    env: environment,
    extendEnv: false,
    stdin: 'ignore',
    reject: false,
    timeout: 15_000,
  })
  return !failed
}
