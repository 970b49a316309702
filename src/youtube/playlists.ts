import type { Download, Playlist } from '#contract/downloads.ts'
import { policyOf } from '#contract/failures.ts'
import { isSameForm } from '#contract/form.ts'
import { resolveOptions, type PlaylistRequest } from '#contract/options.ts'
import { Problem } from '#contract/problem.ts'

import type { Asked } from '../http/cached-response.ts'
import type { PlaylistResult } from './asking-schema.ts'
import type { Answer, Asker, Asking, There, Wish } from './asking.ts'
import { idOf, stemOf } from './idempotency.ts'
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

type Listed = Playlist['videos'][number]

/** A video of a playlist; without an address we take, it is refused. */
type Entry = Pick<Listed, 'url' | 'title' | 'unavailable'> & { readonly video: Video | undefined }

/** What is the same for all videos of a playlist. */
type Common = Omit<Wish, 'id' | 'video'>

type EntryWish = { readonly wish: Wish; readonly there: There }

/** Many videos in one request: each is asked for as if alone, in the order of the list. */
export function createPlaylists(dependencies: Dependencies) {
  const { store, allowedHosts, log, now, newId, metadata, inLibrary, asking } = dependencies

  /** Each video once, where it comes first. */
  const entriesOf = async ({ videos }: Playlist, limit: number): Promise<readonly Entry[]> => {
    const entries = new Map<string, Entry>()
    for (const { url, title, unavailable } of videos.slice(0, limit)) {
      const parsed = parseVideoUrl(url, allowedHosts)
      const video = parsed && (await shortVideo(parsed))
      const key = video?.id ?? url
      if (!entries.has(key)) entries.set(key, { url: video?.url ?? url, title, unavailable, video })
    }
    return [...entries.values()]
  }

  /** What was asked for under the key before; it must have been this playlist, in this form. */
  const askedBefore = async (userId: string, common: Common, key: string | undefined) => {
    const known = key === undefined ? [] : await store.findByStem(userId, await stemOf(userId, key))
    if (!known.every((download) => isOfList(download, common))) throw new Problem('idempotency-key-reused')
    return new Map(known.map((download) => [download.id, download]))
  }

  /** In few queries, whatever the length of the list. */
  const wishesOf = async (
    userId: string,
    entries: readonly Entry[],
    common: Common,
    key: string | undefined,
  ): Promise<ReadonlyMap<Entry, EntryWish>> => {
    const known = await askedBefore(userId, common, key)
    const answered = new Set([...known.values()].map(({ videoId }) => videoId))
    const open = entries.flatMap(({ video }) => (video && !answered.has(video.id) ? video.id : []))
    const [active, inPlex] = await Promise.all([
      store.activeOf(userId, open),
      inLibrary.of(userId, open, common.options),
    ])
    const placed = Map.groupBy(inPlex, ({ videoId }) => videoId)
    const wishes = new Map<Entry, EntryWish>()
    for (const entry of entries) {
      const { video, unavailable } = entry
      if (!video) continue
      const id = key === undefined ? newId() : await idOf(userId, key, video.id)
      const there: There = {
        known: known.get(id),
        active: async () => active.get(video.id),
        inLibrary: async () => placed.get(video.id) ?? [],
        refusal: unavailable && goneAs(unavailable),
      }
      wishes.set(entry, { wish: { id, video, ...common }, there })
    }
    return wishes
  }

  const answerTo = async (asker: Asker, { wish, there }: EntryWish): Promise<Answer | Problem> => {
    try {
      return await asking.ask(asker, wish, there)
    } catch (error) {
      const problem = error instanceof Problem ? error : new Problem('internal', { cause: error })
      if (problem.code === 'internal') log('error', 'video-of-playlist-failed', { cause: String(error) })
      return problem
    }
  }

  /** One after the other. Once the allowance is used up, the others need not be asked about it. */
  const answersTo = async (
    asker: Asker,
    wishes: ReadonlyMap<Entry, EntryWish>,
  ): Promise<ReadonlyMap<Entry, Answer | Problem>> => {
    const shared = await asking.shareAll(asker, [...wishes.values()])
    const answers = new Map<Entry, Answer | Problem>()
    let over: Problem | undefined
    for (const [entry, { wish, there }] of wishes) {
      const refusal = there.refusal ?? over
      const answer = shared.get(wish.id) ?? (await answerTo(asker, { wish, there: { ...there, refusal } }))
      if (answer instanceof Problem && isOverQuota(answer)) over = answer
      answers.set(entry, answer)
    }
    return answers
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
      const common = { options: resolveOptions(wishes), playlistId, collection }
      const asker = { userId, background, hear: () => undefined }
      const answers = await answersTo(asker, await wishesOf(userId, entries, common, key))
      const results = entries.map((entry): PlaylistResult => {
        const { url: videoUrl, title, video } = entry
        const outcome = outcomeOf(answers.get(entry), now())
        return { url: videoUrl, title, ...(video && { videoId: video.id }), ...outcome }
      })
      const { title, totalVideos } = playlist
      return { playlistId, title, totalVideos, results }
    },
  }
}

type Outcome = Omit<PlaylistResult, 'url' | 'videoId' | 'title'>

const unsupported: Outcome = { outcome: 'refused', problem: 'unsupported-url' }

const isOfList = (download: Download, { options, playlistId, collection }: Common): boolean =>
  download.playlistId === playlistId && download.collection === collection && isSameForm(download, options)

const goneAs = (reason: NonNullable<Listed['unavailable']>) =>
  new Problem('video-unavailable', {
    members: { reason, retryable: false, advice: policyOf(reason).advice },
  })

const isOverQuota = ({ code }: Problem): boolean =>
  code === 'rate-limited' || code === 'storage-quota-exceeded'

function outcomeOf(answer: Answer | Problem | undefined, now: number): Outcome {
  if (!answer) return unsupported
  if (answer instanceof Problem) return refused(answer, now)
  const { how, download } = answer
  return { outcome: how === 'accepted' ? 'accepted' : 'shared', downloadId: download.id }
}

function refused(problem: Problem, now: number): Outcome {
  const { downloadId } = problem.members
  if (problem.code === 'duplicate-download' && typeof downloadId === 'string')
    return { outcome: 'duplicate', downloadId }
  return { outcome: isOverQuota(problem) ? 'over-quota' : 'refused', ...refusalOf(problem, now) }
}
