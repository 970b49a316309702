import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { TestProject } from 'vitest/node'

import { startPlexTv } from '../world/plex-tv/plex-tv.ts'
import { startPlexStandIn } from '../world/plex/server.ts'

/** Starts Plex and plex.tv for the Worker's tests, which reach them over HTTP like the real ones. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'medianest-test-'))
  const plexTv = await startPlexTv()
  const plex = await startPlexStandIn({
    youtubeFolder: folder,
    access: () => plexTv.plexAccess(),
    scanMs: 50,
  })
  plexTv.setServer({ machineIdentifier: plex.machineIdentifier, url: plex.url, name: 'Test server' })
  project.provide('world', {
    plexUrl: plex.url,
    plexTvUrl: plexTv.url,
    machineIdentifier: plex.machineIdentifier,
    youtubeFolder: folder,
  })
  return async () => {
    await Promise.all([plex.close(), plexTv.close()])
    await rm(folder, { recursive: true, force: true })
  }
}
