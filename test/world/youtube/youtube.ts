import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { VideoSite } from '../video-site/video-site.ts'
import { fieldEnd, writeExecutable } from './executable.ts'
import type { SpeechName } from './speech.ts'
import {
  extents,
  playlistInfo,
  youTubeInfo,
  type Extent,
  type YouTubePlaylist,
  type YouTubeVideo,
} from './video.ts'

/** Which runs are meant: all of them unless it is said. Probes are those with `--simulate`. */
export type Which = { readonly id?: string; readonly mode?: 'probe' | 'download' }

export type YouTubeRun = {
  readonly id: string
  readonly mode: 'probe' | 'download'
  /** What it was told to say; undefined when it was let through. */
  readonly said: string | undefined
  readonly arguments: readonly string[]
}

/** YouTube as one downloader sees it. */
export type YouTubeView = {
  /** For `YT_DLP_PATH`. */
  readonly ytDlp: string
  /** The next runs say this, `times` of them or all until they are allowed again. What is said so often goes first. */
  readonly say: (speech: SpeechName, which?: Which & { readonly times?: number }) => Promise<void>
  /** Takes back all that was to be said, to all runs or to those named. */
  readonly allow: (which?: Which) => Promise<void>
  /** Every run that asked YouTube for something, in order. */
  readonly runs: () => Promise<readonly YouTubeRun[]>
}

export type YouTube = {
  /** Puts a video there, or in place of the one with its id; answers its address. */
  readonly publish: (video: YouTubeVideo) => Promise<string>
  readonly publishPlaylist: (playlist: YouTubePlaylist) => Promise<string>
  readonly view: () => Promise<YouTubeView>
  readonly close: () => Promise<void>
}

export type YouTubeOptions = {
  readonly site: Pick<VideoSite, 'media'>
  /** The real yt-dlp. */
  readonly ytDlp: string
  /** Address of a stand-in. */
  readonly sponsorBlock?: string
}

/** A YouTube of one's own: yt-dlp is given what it would have found there, and fetches the media from the video site. */
export async function createYouTube({ site, ytDlp, sponsorBlock }: YouTubeOptions): Promise<YouTube> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-youtube-'))
  const videos = join(folder, 'videos')
  await mkdir(videos)
  let views = 0
  const put = (id: string, extent: Extent, info: unknown): Promise<void> =>
    place(join(videos, `${id}.${extent}.json`), JSON.stringify(info))
  return {
    publish: async (video) => {
      for (const extent of extents) await put(video.id, extent, youTubeInfo(video, site, extent))
      return `https://www.youtube.com/watch?v=${video.id}`
    },
    publishPlaylist: async (playlist) => {
      await put(playlist.id, 'whole', playlistInfo(playlist))
      return `https://www.youtube.com/playlist?list=${playlist.id}`
    },
    view: async () => {
      views += 1
      const own = join(folder, `view-${views}`)
      const program = await writeExecutable({
        folder: own,
        real: ytDlp,
        videos,
        ...(sponsorBlock === undefined ? {} : { sponsorBlock }),
      })
      return viewOf(own, program)
    },
    close: () => rm(folder, { recursive: true, force: true }),
  }
}

function viewOf(folder: string, ytDlp: string): YouTubeView {
  let tokens = 0
  const suffix = ({ mode, id }: Which): string => `${mode ?? 'any'}.${id ?? 'any'}`
  return {
    ytDlp,
    say: async (speech, { times, ...which } = {}) => {
      if (times === undefined) return place(join(folder, 'always', suffix(which)), `${speech}\n`)
      for (let time = 0; time < times; time += 1) {
        tokens += 1
        const name = `${String(tokens).padStart(6, '0')}.${suffix(which)}`
        await place(join(folder, 'once', name), `${speech}\n`)
      }
    },
    allow: async (which) => {
      for (const kind of ['always', 'once'])
        for (const name of await readdir(join(folder, kind)))
          if (which === undefined || name.endsWith(suffix(which)))
            await rm(join(folder, kind, name), { force: true })
    },
    runs: async () => (await readFile(join(folder, 'runs'), 'utf8')).split('\n').filter(Boolean).map(readRun),
  }
}

function readRun(line: string): YouTubeRun {
  const [id = '', mode, said, ...rest] = line.split(fieldEnd)
  return {
    id,
    mode: mode === 'probe' ? 'probe' : 'download',
    said: said === '-' ? undefined : said,
    arguments: rest.slice(0, -1),
  }
}

/** A run that looks meanwhile sees the old file or the new one, and never a half. */
async function place(file: string, text: string): Promise<void> {
  const draft = join(file, '..', '..', `draft-${performance.now()}-${Math.random()}`)
  await writeFile(draft, text)
  await rename(draft, file)
}
