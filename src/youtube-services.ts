import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { Config } from './config.ts'
import type { AnswerCache } from './http/cached-response.ts'
import { createDownloadCollecting } from './platform/download-collecting.ts'
import { createDownloadControl } from './platform/download-control.ts'
import { createDownloadHistory } from './platform/download-history.ts'
import { createDownloadQueue } from './platform/download-queue.ts'
import { createDownloadRetention } from './platform/download-retention.ts'
import { createDownloadStore } from './platform/download-store.ts'
import { createLibraryIndex } from './platform/library-index.ts'
import { log } from './platform/logger.ts'
import { isOneOf } from './platform/secrets.ts'
import { createQuota } from './platform/user-gates.ts'
import { createCollecting } from './youtube/collecting.ts'
import { createControl } from './youtube/control.ts'
import type { ControlDependencies } from './youtube/history-ports.ts'
import { createHistory } from './youtube/history.ts'
import type { PlexShelf } from './youtube/ports.ts'
import { createQueueControl } from './youtube/queue-control.ts'
import { createRetention } from './youtube/retention-rounds.ts'
import { createYoutube } from './youtube/service.ts'

type Shared = Pick<ControlDependencies, 'audit' | 'tell'> & {
  readonly config: Config
  readonly db: DrizzleD1Database
  readonly cache: AnswerCache
  readonly plex: PlexShelf
  readonly now: () => number
  readonly newId: () => string
}

/** The part of the composition root that is about downloads. */
export function buildYoutubeServices(env: Env, shared: Shared) {
  const { config, db, cache, plex, audit, tell, now, newId } = shared
  const { machineIdentifier } = config.plex
  const { retention, storage } = config.downloads
  const queue = createDownloadQueue(env.DOWNLOAD_QUEUE)
  const library = createLibraryIndex(env.CACHE)
  const youtube = createYoutube({
    store: createDownloadStore(db, machineIdentifier),
    queue,
    library,
    quota: createQuota(env.USER_GATE, config.limits.downloads, now),
    cache,
    plex,
    tell,
    allowedHosts: config.downloads.allowedHosts,
    limit: config.limits.downloads,
    storage,
    metadataTtlMs: config.ttl.metadata,
    log,
    now,
    newId,
    wait: (ms) => scheduler.wait(ms),
  })
  return {
    youtube,
    collecting: createCollecting({ store: createDownloadCollecting(db), plex, log, now }),
    history: createHistory({ store: createDownloadHistory(db, machineIdentifier), queue, now }),
    control: createControl({
      store: createDownloadControl(db, machineIdentifier),
      queue,
      audit,
      tell,
      passOn: async (from, { downloadId, videoId }) => {
        try {
          await library.replace(videoId, from, downloadId)
        } catch (cause) {
          log('info', 'library-index-behind', { cause: String(cause) })
        }
      },
      requireSpace: youtube.requireSpace,
      isSpaceManaged: [storage.user, storage.total, retention.maxAgeMs, retention.maxBytes].some(
        (limit) => limit !== undefined,
      ),
      now,
    }),
    queue: createQueueControl({ queue, audit }),
    retention: createRetention({
      store: createDownloadRetention(db),
      queue,
      audit,
      policy: retention,
      now,
    }),
    downloaderLink: {
      isDownloader: (token: string) => isOneOf(token, config.downloads.tokens),
      connect: (request: Request) => queue.connect(request),
    },
    adoptDownloads: () => queue.adopt(),
  }
}
