import { join } from 'node:path'
import * as z from 'zod'
import { startPlexStandIn, type PlexStandIn } from '../../test/world/plex/server.ts'
import { startPlexTv, type PlexTv } from '../../test/world/plex-tv/plex-tv.ts'
import { PlexTvState } from '../../test/world/plex-tv/state.ts'
import { startVideoSite, type VideoSite } from '../../test/world/video-site/video-site.ts'
import { freePort } from './ports.ts'
import { readPrivate, writePrivate } from './private-file.ts'

export type DemoWorld = {
  readonly plex: PlexStandIn
  readonly plexTv: PlexTv
  readonly videoSite: VideoSite
  readonly stop: () => Promise<void>
}

export type DemoPorts = z.output<typeof Ports>

const Ports = z.object({ plex: z.int(), plexTv: z.int(), videoSite: z.int() })
const Saved = z.object({ ports: Ports, plexTv: PlexTvState.exactOptional() })

const fileIn = (stateFolder: string): string => join(stateFolder, 'demo-world.json')

/** Where the demo world will be: at its old addresses if they are free, so that what was stored stays true. */
export async function chooseDemoPorts(stateFolder: string): Promise<DemoPorts> {
  const saved = readPrivate(fileIn(stateFolder), Saved)?.ports
  const plex = await freePort(saved?.plex)
  const plexTv = await freePort(saved?.plexTv)
  return { plex, plexTv, videoSite: await freePort(saved?.videoSite) }
}

/** What the Worker has to know of the demo world. */
export function demoVars(ports: DemoPorts): Record<string, string> {
  const at = (port: number): string => `http://127.0.0.1:${port}`
  return {
    PLEX_URL: at(ports.plex),
    PLEX_MACHINE_IDENTIFIER: machineIdentifier,
    PLEX_TV_URL: at(ports.plexTv),
    PLEX_AUTH_URL: `${at(ports.plexTv)}/auth`,
    DOWNLOAD_ALLOWED_HOSTS: `127.0.0.1:${ports.videoSite}`,
  }
}

const machineIdentifier = 'b6e1c0d2f48a4f7f9a35d07c1e94ab52d3f60817'

export type DemoWorldOptions = {
  readonly stateFolder: string
  readonly libraryFolder: string
  /** Where the films are made once; several worlds may share it. */
  readonly mediaFolder: string
  readonly ports: DemoPorts
  /** Awaited, because it may still be on its way. */
  readonly ffmpeg: Promise<string>
  readonly itemsPerLibrary?: number | undefined
}

/** Starts a Plex server, plex.tv and a video site that are not real, but behave. */
export async function startDemoWorld(options: DemoWorldOptions): Promise<DemoWorld> {
  const { stateFolder, libraryFolder, ports } = options
  const running: { close: () => Promise<void> }[] = []
  const keep = <T extends { close: () => Promise<void> }>(standIn: T): T => {
    running.push(standIn)
    return standIn
  }
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((standIn) => standIn.close()))
  }
  try {
    const state = readPrivate(fileIn(stateFolder), Saved)?.plexTv
    const save = (): void => writePrivate(fileIn(stateFolder), { ports, plexTv: plexTv.snapshot() })
    const plexTv = keep(
      await startPlexTv({ port: ports.plexTv, onChange: save, ...(state === undefined ? {} : { state }) }),
    )
    save()
    const startPlex = startPlexStandIn({
      machineIdentifier,
      port: ports.plex,
      youtubeFolder: libraryFolder,
      access: () => plexTv.plexAccess(),
      ...(options.itemsPerLibrary === undefined ? {} : { itemsPerLibrary: options.itemsPerLibrary }),
    }).then(keep)
    const startSite = options.ffmpeg
      .then((ffmpeg) => startVideoSite({ folder: options.mediaFolder, ffmpeg, port: ports.videoSite }))
      .then(keep)
    const [plex, videoSite] = await Promise.all([startPlex, startSite])
    plexTv.setServer({ machineIdentifier, url: plex.url, name: 'Harbour House' })
    return { plex, plexTv, videoSite, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
