import type { DrizzleD1Database } from 'drizzle-orm/d1'

import type { Config } from './config.ts'
import type { AnswerCache } from './http/cached-response.ts'
import { createDownloadControl } from './platform/download-control.ts'
import { createDownloadHistory } from './platform/download-history.ts'
import { createDownloadQueue } from './platform/download-queue.ts'
import { createDownloadRetention } from './platform/download-retention.ts'
import { createDownloadStore } from './platform/download-store.ts'
import { createLibraryIndex } from './platform/library-index.ts'
import { isOneOf } from './platform/secrets.ts'
import { createQuota } from './platform/user-gates.ts'
import { createControl } from './youtube/control.ts'
import type { ControlDependencies } from './youtube/history-ports.ts'
import { createHistory } from './youtube/history.ts'
import { createQueueControl } from './youtube/queue-control.ts'
import { createRetention } from './youtube/retention-rounds.ts'
import { createYoutube } from './youtube/service.ts'

type Shared = Pick<ControlDependencies, 'audit' | 'tell'> & {
  readonly config: Config
  readonly db: DrizzleD1Database
  readonly cache: AnswerCache
  readonly now: () => number
  readonly newId: () => string
}

/** The part of the composition root that is about downloads. */
export function buildYoutubeServices(env: Env, { config, db, cache, audit, tell, now, newId }: Shared) {
  const { machineIdentifier } = config.plex
  const { retention, userQuotaBytes, totalQuotaBytes } = config.downloads
  const queue = createDownloadQueue(env.DOWNLOAD_QUEUE)
  return {
    youtube: createYoutube({
      store: createDownloadStore(db, machineIdentifier),
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
    history: createHistory({ store: createDownloadHistory(db, machineIdentifier), queue, now }),
    control: createControl({
      store: createDownloadControl(db, machineIdentifier),
      queue,
      audit,
      tell,
      isSpaceManaged: [userQuotaBytes, totalQuotaBytes, retention.maxAgeMs, retention.maxBytes].some(
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
