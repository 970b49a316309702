import type { DownloadQueue } from '../durable/download-queue.ts'
import type { Queue } from '../youtube/ports.ts'
import { log } from './logger.ts'

/** There is one queue: what is asked of it is decided in one place. */
export function createDownloadQueue(namespace: DurableObjectNamespace<DownloadQueue>): Queue & {
  connect(request: Request): Promise<Response>
  adopt(): Promise<number>
} {
  const queue = () => namespace.getByName('main')
  return {
    enqueue: async (download, how) => {
      try {
        await queue().enqueue(download, how)
      } catch (cause) {
        log('warn', 'queue-unreachable', { asked: 'enqueue', cause: String(cause) })
      }
    },
    cancel: async (userId, id) => queue().cancel(userId, id),
    liveStates: async (ids) => {
      try {
        return await queue().liveStates(ids)
      } catch (cause) {
        log('warn', 'queue-unreachable', { asked: 'liveStates', cause: String(cause) })
        return {}
      }
    },
    metadata: async (url) => queue().metadata(url),
    playlist: async (url, limit) => queue().playlist(url, limit),
    overview: async () => queue().overview(),
    pause: async (paused) => {
      await queue().pause(paused)
    },
    remove: async (removal) => {
      await queue().remove(removal)
    },
    removals: async () => queue().removals(),
    downloaders: async () => queue().downloaders(),
    queued: async () => queue().queued(),
    connect: async (request) => queue().fetch(request),
    adopt: async () => queue().adopt(),
  }
}
