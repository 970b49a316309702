import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { Config } from './config.ts'
import type { AnswerCache } from './http/cached-response.ts'
import { createDownloadQueue } from './platform/download-queue.ts'
import { createDownloadStore } from './platform/download-store.ts'
import { createLibraryIndex } from './platform/library-index.ts'
import { isOneOf } from './platform/secrets.ts'
import { createQuota } from './platform/user-gates.ts'
import { createYoutube } from './youtube/service.ts'

type Shared = {
  readonly config: Config
  readonly db: DrizzleD1Database
  readonly cache: AnswerCache
  readonly now: () => number
  readonly newId: () => string
}

/** The part of the composition root that is about downloads. */
export function buildYoutubeServices(env: Env, { config, db, cache, now, newId }: Shared) {
  const queue = createDownloadQueue(env.DOWNLOAD_QUEUE)
  return {
    youtube: createYoutube({
      store: createDownloadStore(db, config.plex.machineIdentifier),
      queue,
      library: createLibraryIndex(env.CACHE),
      quota: createQuota(env.USER_GATE, config.limits.downloads, now),
      cache,
      allowedHosts: config.downloads.allowedHosts,
      limit: config.limits.downloads,
      metadataTtlMs: config.ttl.metadata,
      now,
      newId,
    }),
    downloaderLink: {
      isDownloader: (token: string) => isOneOf(token, config.downloads.tokens),
      connect: (request: Request) => queue.connect(request),
    },
    adoptDownloads: () => queue.adopt(),
  }
}
