import { mkdir } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import type { Config } from '../config.ts'
import type { Log } from '../log.ts'
import { findTools } from '../tools.ts'
import { checkCookies, workspaceOf } from '../workspace.ts'
import { logOutcome } from './schedule.ts'
import { look, preferInstalled, restore, update } from './update.ts'
import type { UpdateOutcome, Updater } from './update.ts'
import { createUpdater, oneAtATime } from './updater.ts'

const verbs = { update, check: look, 'roll-back': restore } as const

export type UpdateVerb = keyof typeof verbs

/** What the process ends with; the same words are in the log. */
export const exitCodes: Readonly<Record<UpdateOutcome['kind'], number>> = {
  updated: 0,
  'already-newest': 0,
  restored: 0,
  'set-aside': 0,
  'newer-available': 10,
  'rolled-back': 20,
  'nothing-to-restore': 21,
  busy: 22,
}

export function parseUpdateVerb(args: readonly string[]): UpdateVerb | undefined {
  try {
    const options = { check: { type: 'boolean' }, 'roll-back': { type: 'boolean' } } as const
    const { values } = parseArgs({ args: [...args], options, strict: true })
    if (values.check && values['roll-back']) return undefined
    return values.check ? 'check' : values['roll-back'] ? 'roll-back' : 'update'
  } catch {
    return undefined
  }
}

/** Does what a person asked for beside the running downloader, which takes the new program for its next job. */
export async function runUpdate(
  verb: UpdateVerb,
  config: Config,
  env: Readonly<Record<string, string | undefined>>,
  log: Log,
  signal: AbortSignal,
): Promise<number> {
  const workspace = workspaceOf(config)
  if (verb === 'update') await checkCookies(config)
  await mkdir(workspace.scratch, { recursive: true, mode: 0o700 })
  const updater = createUpdater(config, workspace, findTools(config, workspace, env), signal)
  const act = (given: Updater): Promise<UpdateOutcome> => verbs[verb](given)
  const outcome = await oneAtATime(workspace, async () => {
    if (verb === 'update') await preferInstalled(updater)
    return act(updater)
  })
  logOutcome(log, outcome)
  return exitCodes[outcome.kind]
}
