import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import type { Demo } from '../../../scripts/local/demo-file.ts'
import type { DemoWorld } from '../../../scripts/local/demo-world.ts'
import { freePort } from '../../../scripts/local/ports.ts'
import { startSystem, type System } from '../../../scripts/local/system.ts'

export type Place = {
  readonly stateFolder: string
  readonly libraryFolder: string
  /** Where downloads are made, one folder each. */
  readonly jobsFolder: string
  readonly port: number
  readonly remove: () => Promise<void>
}

export type WholeSystem = System & Place & { readonly demo: Demo; readonly world: DemoWorld }

/** What makes waiting short and lets one person ask for many videos; nothing else is other than in production. */
const brisk = { SCAN_QUIET_MS: '200', DOWNLOAD_RETRY_BASE_MS: '300', DOWNLOADS_PER_HOUR: '100' }

export async function newPlace(): Promise<Place> {
  const stateFolder = await mkdtemp(join(tmpdir(), 'medianest-e2e-'))
  return {
    stateFolder,
    libraryFolder: join(stateFolder, 'library', 'YouTube'),
    jobsFolder: join(stateFolder, 'downloads', 'jobs'),
    port: await freePort(undefined),
    remove: () => rm(stateFolder, { recursive: true, force: true }),
  }
}

/** Starts everything there, or starts it again with what it kept. */
export async function startIn(
  place: Place,
  vars: Readonly<Record<string, string>> = {},
): Promise<WholeSystem> {
  const { stateFolder, port } = place
  const system = await startSystem({ stateFolder, port, quiet: true, vars: { ...brisk, ...vars } })
  const { demo, world } = system
  assert(demo && world)
  return { ...system, ...place, demo, world }
}

/** Every file in the library, as relative paths. */
export async function filesOf({ libraryFolder }: Place): Promise<string[]> {
  const entries = await readdir(libraryFolder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(libraryFolder.length + 1))
    .sort()
}

export const mediaOf = async (place: Place): Promise<string[]> =>
  (await filesOf(place)).filter((name) => /\.(?:mp4|m4a|mkv|webm|mp3|opus)$/.test(name))

export async function sha256Of({ libraryFolder }: Place, name: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(libraryFolder, name)))
    .digest('hex')
}

export async function emptyLibrary({ libraryFolder }: Place): Promise<void> {
  for (const name of await readdir(libraryFolder))
    await rm(join(libraryFolder, name), { recursive: true, force: true })
}

/** The programs that work on this place's files, as the system's table of processes shows them. */
export async function programsOf({ stateFolder }: Place): Promise<string[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args='])
  return stdout.split('\n').filter((line) => line.includes(stateFolder) && /yt-dlp|ffmpeg|ffprobe/.test(line))
}
