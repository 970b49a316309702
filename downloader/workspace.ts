import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Config } from './config.ts'

export type Workspace = {
  readonly jobs: string
  readonly scratch: string
  readonly cache: string
  readonly database: string
  /** Touched at each sign of life of the Worker. */
  readonly alive: string
}

export class WorkspaceUnusable extends Error {
  override readonly name = 'WorkspaceUnusable'
}

/** Makes the working folders; they must be on the library's file system, so that moving there is one step. */
export async function openWorkspace(config: Config): Promise<Workspace> {
  const { libraryDirectory, workDirectory, stateDirectory } = config
  const workspace = {
    jobs: join(workDirectory, 'jobs'),
    scratch: join(workDirectory, 'scratch'),
    cache: join(workDirectory, 'cache'),
    database: join(stateDirectory, 'downloader.db'),
    alive: join(stateDirectory, 'alive'),
  }
  const library = await stat(libraryDirectory).catch(() => undefined)
  if (!library?.isDirectory()) throw new WorkspaceUnusable('LIBRARY_DIR is not a folder')
  await rm(workspace.scratch, { recursive: true, force: true }).catch(() => undefined)
  for (const directory of [workspace.jobs, workspace.scratch, workspace.cache, stateDirectory]) {
    await mkdir(directory, { recursive: true, mode: 0o700 }).catch(() => {
      throw new WorkspaceUnusable('WORK_DIR or STATE_DIR cannot be written to')
    })
  }
  if ((await stat(workDirectory)).dev !== library.dev)
    throw new WorkspaceUnusable('WORK_DIR must be on the same file system as LIBRARY_DIR')
  return workspace
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
