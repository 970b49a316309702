import { readdirSync } from 'node:fs'
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import * as z from 'zod'
import type { Config } from './config.ts'

export type Workspace = {
  readonly jobs: string
  readonly scratch: string
  readonly cache: string
  readonly database: string
  /** Fetched versions of yt-dlp, and which of them is in use. */
  readonly tools: string
  /** Says at which port the state of health is told, when the system chose it. */
  readonly healthPort: string
}

export class WorkspaceUnusable extends Error {
  override readonly name = 'WorkspaceUnusable'
}

export function workspaceOf({ workDirectory, stateDirectory }: Config): Workspace {
  return {
    jobs: join(workDirectory, 'jobs'),
    scratch: join(workDirectory, 'scratch'),
    cache: join(workDirectory, 'cache'),
    database: join(stateDirectory, 'downloader.db'),
    tools: join(stateDirectory, 'tools'),
    healthPort: join(stateDirectory, 'health-port'),
  }
}

/** Makes the working folders; they must be on the library's file system, so that moving there is one step. */
export async function openWorkspace(config: Config): Promise<Workspace> {
  const { libraryDirectory, workDirectory } = config
  const workspace = workspaceOf(config)
  await checkCookies(config)
  const library = await stat(libraryDirectory).catch(() => undefined)
  if (!library?.isDirectory()) throw new WorkspaceUnusable('LIBRARY_DIR is not a folder')
  for (const directory of [workspace.jobs, workspace.scratch, workspace.cache, workspace.tools]) {
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch(() => {
      throw new WorkspaceUnusable('WORK_DIR or STATE_DIR cannot be written to')
    })
  }
  if ((await stat(workDirectory)).dev !== library.dev)
    throw new WorkspaceUnusable('WORK_DIR must be on the same file system as LIBRARY_DIR')
  return workspace
}

/** With a file that yt-dlp cannot read each download would fail, and none would say why. */
export async function checkCookies({ cookiesFile }: Pick<Config, 'cookiesFile'>): Promise<void> {
  if (cookiesFile === undefined) return
  const cookies = await readFile(cookiesFile, 'utf8').catch(() => undefined)
  if (cookies === undefined) throw new WorkspaceUnusable('COOKIES_FILE cannot be read')
  if (/^\s*[[{]/.test(cookies))
    throw new WorkspaceUnusable('COOKIES_FILE must be in the format of Netscape, not JSON')
}

/** Removes what a run that was killed has left; only for whoever holds this state alone. */
export async function emptyScratch({ scratch }: Workspace): Promise<void> {
  for (const name of await readdir(scratch).catch(() => []))
    await rm(join(scratch, name), { recursive: true, force: true }).catch(() => undefined)
}

/** The jobs of which something was fetched and is kept. */
export function jobsWithParts({ jobs }: Workspace): string[] {
  try {
    return readdirSync(jobs).filter((name) => z.uuid().safeParse(name).success)
  } catch {
    return []
  }
}

/** Removes parts that no job came back for. */
export async function prune(
  { jobs }: Workspace,
  isHeld: (jobId: string) => boolean,
  olderThan: Date,
): Promise<void> {
  for (const name of await readdir(jobs).catch(() => [])) {
    const directory = join(jobs, name)
    const found = await stat(directory).catch(() => undefined)
    if (found && !isHeld(name) && found.mtime < olderThan)
      await rm(directory, { recursive: true, force: true }).catch(() => undefined)
  }
}
