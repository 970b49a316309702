import type { Playlist } from '#contract/downloads.ts'
import { resolveOptions, type PlaylistRequest } from '#contract/options.ts'
import { Problem } from '#contract/problem.ts'

import type { Asked } from '../http/cached-response.ts'
import type { PlaylistResult } from './asking-schema.ts'
import { isOf, type Answer, type Asker, type Asking, type There, type Wish } from './asking.ts'
import { idOf } from './idempotency.ts'
import type { InLibrary } from './in-library.ts'
import type { Metadata } from './metadata.ts'
import type { YoutubeDependencies } from './ports.ts'
import { refusalOf } from './refusal.ts'
import { parsePlaylistUrl, parseVideoUrl, shortId, shortVideo, type Video } from './video-url.ts'

type Dependencies = Pick<YoutubeDependencies, 'store' | 'allowedHosts' | 'log' | 'now' | 'newId'> & {
  readonly metadata: Metadata
  readonly inLibrary: InLibrary
  readonly asking: Asking
}

/** A video of a playlist; without an address we take, it is refused. */
type Entry = { readonly url: string; readonly title?: string | undefined; readonly video: Video | undefined }

/** Many videos in one request: each is asked for as if alone, in the order of the list. */
export function createPlaylists(dependencies: Dependencies) {
  const { store, allowedHosts, log, now, newId, metadata, inLibrary, asking } = dependencies

  /** Each video once, where it comes first. */
  const entriesOf = async ({ videos }: Playlist, limit: number): Promise<readonly Entry[]> => {
    const entries = new Map<string, Entry>()
    for (const { url, title } of videos.slice(0, limit)) {
      const parsed = parseVideoUrl(url, allowedHosts)
      const video = parsed && (await shortVideo(parsed))
      const key = video?.id ?? url
      if (!entries.has(key)) entries.set(key, { url: video?.url ?? url, title, video })
    }
    return [...entries.values()]
  }

  const wishesOf = (
    userId: string,
    entries: readonly Entry[],
    common: Omit<Wish, 'id' | 'video'>,
    key: string | undefined,
  ): Promise<readonly Wish[]> =>
    Promise.all(
      entries
        .flatMap(({ video }) => video ?? [])
        .map(async (video) => {
          const id = key === undefined ? newId() : await idOf(userId, key, video.id)
          return { id, video, ...common }
        }),
    )

  const outcomeOf = async (asker: Asker, wish: Wish, there: There): Promise<Outcome> => {
    try {
      return accepted(await asking.ask(asker, wish, there))
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem('internal', { cause: error })
      if (problem.code === 'internal') log('error', 'video-of-playlist-failed', { cause: String(error) })
      return refused(problem, now())
    }
  }

  return {
    async requestPlaylist(
      { caller, background }: Asked,
      { url, limit, collection, ...wishes }: PlaylistRequest,
      key: string | undefined,
    ) {
      if (collection !== undefined && caller.role !== 'admin') throw new Problem('forbidden')
      const address = parsePlaylistUrl(url, allowedHosts)
      if (!address) throw new Problem('unsupported-url')
      const playlist = await metadata.playlist(address, limit)
      const playlistId = await shortId(playlist.id)
      const entries = await entriesOf(playlist, limit)

      const { userId } = caller
      const options = resolveOptions(wishes)
      const asked = await wishesOf(userId, entries, { options, playlistId, collection }, key)
      const known = key === undefined ? [] : await store.findAll(userId, asked.map(idOfWish))
      const wishOf = new Map(asked.map((wish) => [wish.video.id, wish]))
      if (known.some((download) => !isAnswerTo(download, wishOf.get(download.videoId))))
        throw new Problem('idempotency-key-reused')

      const answered = new Set(known.map(({ videoId }) => videoId))
      const open = asked.map(({ video }) => video.id).filter((videoId) => !answered.has(videoId))
      const placed = Map.groupBy(await inLibrary.of(userId, open, options), ({ videoId }) => videoId)
      const asker = { userId, background, hear: () => undefined }
      const results: PlaylistResult[] = []
      for (const { video, ...entry } of entries) {
        const wish = video && wishOf.get(video.id)
        const there: There = {
          known: known.find(({ videoId }) => videoId === video?.id),
          inLibrary: async () => (video && placed.get(video.id)) ?? [],
        }
        const outcome = wish ? await outcomeOf(asker, wish, there) : unsupported
        results.push({ ...entry, ...(video && { videoId: video.id }), ...outcome })
      }
      const { title, totalVideos } = playlist
      return { playlistId, title, totalVideos, results }
    },
  }
}

type Outcome = Omit<PlaylistResult, 'url' | 'videoId' | 'title'>

const unsupported: Outcome = { outcome: 'refused', problem: 'unsupported-url' }

const idOfWish = ({ id }: Wish) => id

const isAnswerTo = (download: Parameters<typeof isOf>[0], wish: Wish | undefined): boolean =>
  wish !== undefined && isOf(download, wish)

function accepted({ how, download }: Answer): Outcome {
  return { outcome: how === 'accepted' ? 'accepted' : 'shared', downloadId: download.id }
}

function refused(problem: Problem, now: number): Outcome {
  const { downloadId } = problem.members
  if (problem.code === 'duplicate-download' && typeof downloadId === 'string')
    return { outcome: 'duplicate', downloadId }
  const isOver = problem.code === 'rate-limited' || problem.code === 'storage-quota-exceeded'
  return { outcome: isOver ? 'over-quota' : 'refused', ...refusalOf(problem, now) }
}
