import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

import { startPlexTv } from '../world/plex-tv/plex-tv.ts'
import { startPlexStandIn } from '../world/plex/server.ts'
import { WorldUrls } from './world-urls.ts'

type World = { readonly urls: WorldUrls; readonly close: () => Promise<void> }

/** Has a world started that nobody else uses. It is there until `startWorlds`' close. */
export async function newWorld(worlds: string): Promise<WorldUrls> {
  const response = await fetch(worlds)
  if (!response.ok) throw new Error(`no world: ${await response.text()}`)
  return WorldUrls.parse(await response.json())
}

/** Starts a world for each who asks over HTTP, since Vitest's configuration and set-up share no memory. */
export async function startWorlds() {
  const worlds: Promise<World>[] = []
  const server = createServer((_request, response) => {
    const world = startWorld()
    worlds.push(world)
    world.then(
      ({ urls }) => response.end(JSON.stringify(urls)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    )
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the worlds have no port')
  return {
    url: `http://127.0.0.1:${address.port}`,
    close: async () => {
      server.close()
      await Promise.allSettled(worlds.map(async (world) => (await world).close()))
    },
  }
}

/** A Plex and a plex.tv, which the Worker reaches over HTTP like the real ones. */
async function startWorld(): Promise<World> {
  const youtubeFolder = await mkdtemp(path.join(tmpdir(), 'medianest-test-'))
  const plexTv = await startPlexTv()
  const plex = await startPlexStandIn({ youtubeFolder, access: () => plexTv.plexAccess(), scanMs: 50 })
  const { url, machineIdentifier } = plex
  plexTv.setServer({ machineIdentifier, url, name: 'Test server' })
  return {
    urls: { plexUrl: url, plexTvUrl: plexTv.url, machineIdentifier, youtubeFolder },
    close: async () => {
      await Promise.all([plex.close(), plexTv.close()])
      await rm(youtubeFolder, { recursive: true, force: true })
    },
  }
}
