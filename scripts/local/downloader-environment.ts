import { join } from 'node:path'
import type { Tools } from '../ensure-tools.ts'
import type { Variables } from './settings.ts'

export type DownloaderPlace = {
  readonly baseUrl: string
  readonly stateFolder: string
  readonly libraryFolder: string
  readonly demo: boolean
  /** The Worker's settings, which the downloader's have to agree with. */
  readonly vars: Variables
  readonly environment: Variables
  readonly tools: Tools
}

/** The downloader's variables; what the operator has set comes first where it is theirs to choose. */
export function downloaderEnvironment(place: DownloaderPlace): Variables {
  const { baseUrl, stateFolder, vars, environment, tools, demo } = place
  return {
    ...defaults(place),
    ...environment,
    LINK_URL: `${baseUrl.replace(/^http/, 'ws')}/api/downloader/link`,
    // Two may be live while one is replaced.
    DOWNLOADER_TOKEN: vars['DOWNLOADER_TOKEN']?.split(',')[0]?.trim() ?? '',
    ALLOWED_HOSTS: vars['DOWNLOAD_ALLOWED_HOSTS'] ?? '',
    LIBRARY_DIR: place.libraryFolder,
    STATE_DIR: join(stateFolder, 'downloader'),
    // Beside the library, so that finished files can be moved and need not be copied.
    ...(demo ? { WORK_DIR: join(stateFolder, 'downloads'), PLEX_LIBRARY_PATH: place.libraryFolder } : {}),
    YT_DLP_PATH: tools.ytDlp,
    FFMPEG_PATH: tools.ffmpeg,
    FFPROBE_PATH: tools.ffprobe,
  }
}

function defaults({ demo }: DownloaderPlace): Variables {
  return { DOWNLOADER_ID: 'local', HEALTH_PORT: '0', ...(demo ? demoDefaults : {}) }
}

const demoDefaults: Variables = {
  // The demo's films are small, and so may be the disk it is tried on.
  RESERVE_BYTES: String(128 * 1024 * 1024),
  // Its video site is on this machine, and may be visited at any pace.
  SITE_STARTS_PER_HOUR: '100000',
  SITE_BURST: '1000',
}
