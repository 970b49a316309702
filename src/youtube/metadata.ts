import { Playlist, type VideoMetadata } from '#contract/downloads.ts'
import { Problem } from '#contract/problem.ts'

import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { MetadataAnswer, PlaylistAnswer, YoutubeDependencies } from './ports.ts'
import { MetadataBody } from './schema.ts'
import type { PlaylistAddress, Video } from './video-url.ts'

export type Metadata = ReturnType<typeof createMetadata>

type Dependencies = Pick<YoutubeDependencies, 'queue' | 'cache' | 'metadataTtlMs'>

/** Playlists grow, and nobody is told. */
const playlistTtlMs = 300_000

/** What the site says of videos and playlists. It is the same for everybody, so its scope is nobody’s. */
export function createMetadata({ queue, cache, metadataTtlMs }: Dependencies) {
  const load = async ({ url }: Video) => {
    const answer = await queue.metadata(url)
    if (answer.kind !== 'metadata') throw problemOf(answer)
    return { data: answer.metadata }
  }

  const playlist = async ({ url }: PlaylistAddress, limit: number): Promise<Playlist> => {
    const answer = await queue.playlist(url, limit)
    if (answer.kind !== 'playlist') throw problemOf(answer)
    return answer.playlist
  }

  const cached = (
    { background }: Pick<Asked, 'background'>,
    name: string,
    ttlMs: number,
    read: () => Promise<unknown>,
  ): Promise<CachedAnswer> =>
    cache.read({ scope: 'metadata', name, ttlMs, changesWith: 'never', load: read, background })

  const read = (asked: Pick<Asked, 'background'>, video: Video): Promise<CachedAnswer> =>
    cached(asked, video.id, metadataTtlMs, () => load(video))

  return {
    read,
    playlist,

    /** From the same answer. One that was kept by an older version of this program may say less, or it otherwise. */
    async describe(asked: Pick<Asked, 'background'>, video: Video): Promise<VideoMetadata> {
      const { body } = await read(asked, video)
      const kept = MetadataBody.safeParse(JSON.parse(body))
      return kept.success ? kept.data.data : (await load(video)).data
    },

    /** Its name and size; at most one of its videos. */
    async outline(asked: Pick<Asked, 'background'>, address: PlaylistAddress): Promise<Playlist> {
      const name = `playlist:${address.id}`
      const { body } = await cached(asked, name, playlistTtlMs, () => playlist(address, 1))
      return Playlist.parse(JSON.parse(body))
    },
  }
}

type Unanswered = Exclude<MetadataAnswer | PlaylistAnswer, { readonly kind: 'metadata' | 'playlist' }>

const unavailableFor = (seconds: number) =>
  new Problem('downloader-unavailable', { members: { retryAfter: Math.max(1, Math.ceil(seconds)) } })

/** What the tools have said is not for whoever asks. */
function problemOf(answer: Unanswered): Problem {
  if (answer.kind === 'unavailable') return unavailableFor(30)
  if (answer.kind === 'busy') return unavailableFor(answer.waitMs / 1000)
  if (answer.kind === 'timeout') return new Problem('upstream-timeout')
  const { code, retryable, advice, retryAt } = answer.failure
  return new Problem('video-unavailable', {
    members: { reason: code, retryable, ...(advice && { advice }), ...(retryAt && { retryAt }) },
  })
}
