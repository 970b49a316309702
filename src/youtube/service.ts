import { resolveOptions, type DownloadRequest } from '#contract/options.ts'
import { Problem } from '#contract/problem.ts'

import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { Allowance } from '../http/env.ts'
import { createAllowances } from './allowances.ts'
import { createAsking, type Answer } from './asking.ts'
import { idOf, stemOf } from './idempotency.ts'
import { createInLibrary } from './in-library.ts'
import { createMetadata } from './metadata.ts'
import { createPlaylists } from './playlists.ts'
import type { YoutubeDependencies } from './ports.ts'
import { createValidating } from './validating.ts'
import { parseVideoUrl, shortVideo, type Video } from './video-url.ts'

export type Youtube = ReturnType<typeof createYoutube>

/** Asking for videos, and what can be known of them before. */
export function createYoutube(dependencies: YoutubeDependencies) {
  const { store, allowedHosts, newId } = dependencies
  const metadata = createMetadata(dependencies)
  const allowances = createAllowances(dependencies)
  const inLibrary = createInLibrary(dependencies)
  const asking = createAsking({ ...dependencies, allowances })
  const parts = { ...dependencies, metadata, allowances, inLibrary, asking }

  const videoAt = (url: string): Promise<Video> => {
    const video = parseVideoUrl(url, allowedHosts)
    if (!video) throw new Problem('unsupported-url')
    return shortVideo(video)
  }

  return {
    ...createValidating(parts),
    ...createPlaylists(parts),

    metadata: async (asked: Asked, url: string): Promise<CachedAnswer> =>
      metadata.read(asked, await videoAt(url)),

    async request(
      { caller, background }: Asked,
      { url, ...wishes }: DownloadRequest,
      key: string | undefined,
      hear: (allowance: Allowance) => void,
    ): Promise<Answer> {
      const { userId } = caller
      const video = await videoAt(url)
      const options = resolveOptions(wishes)
      const id = key === undefined ? newId() : await idOf(userId, key)
      const before = key === undefined ? [] : await store.findByStem(userId, await stemOf(userId, key))
      const known = before.find((download) => download.id === id)
      if (before.length > 0 && !known) throw new Problem('idempotency-key-reused')
      return asking.ask(
        { userId, background, hear },
        { id, video, options },
        {
          known,
          active: async () => (await store.activeOf(userId, [video.id])).get(video.id),
          inLibrary: () => inLibrary.of(userId, [video.id], options),
        },
      )
    },

    quota: (userId: string) => allowances.overview(userId),

    requireSpace: (userId: string) => allowances.requireSpace(userId),
  }
}
