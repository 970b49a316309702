import type { DownloadQueue } from '../durable/download-queue.ts'
import type { Queue } from '../youtube/ports.ts'

/** There is one queue: what is asked of it is decided in one place. */
export function createDownloadQueue(namespace: DurableObjectNamespace<DownloadQueue>): Queue & {
  connect(request: Request): Promise<Response>
  adopt(): Promise<number>
} {
  const queue = () => namespace.getByName('main')
  return {
    enqueue: async (download) => queue().enqueue(download),
    cancel: async (userId, id) => queue().cancel(userId, id),
    liveStates: async (ids) => queue().liveStates(ids),
    metadata: async (url) => queue().metadata(url),
    downloaders: async () => queue().downloaders(),
    queued: async () => queue().queued(),
    connect: async (request) => queue().fetch(request),
    adopt: async () => queue().adopt(),
  }
}
