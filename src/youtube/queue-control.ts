import type { Audit } from './history-ports.ts'
import { youtubeHealth } from './health.ts'
import type { ConnectedDownloader, Queue } from './ports.ts'

type Dependencies = { readonly queue: Queue; readonly audit: Audit }

export type QueueControl = ReturnType<typeof createQueueControl>

/** The queue as a whole, for who looks after it. */
export function createQueueControl({ queue, audit }: Dependencies) {
  return {
    async health() {
      const [downloaders, { waiting, paused }] = await Promise.all([queue.downloaders(), queue.overview()])
      return { ...youtubeHealth(downloaders), downloaders, queued: waiting, paused }
    },

    async read() {
      const [overview, downloaders] = await Promise.all([queue.overview(), queue.downloaders()])
      return { ...overview, downloaders: downloaders.map(shown) }
    },

    async pause(actor: string, paused: boolean) {
      await queue.pause(paused)
      await audit({ actor, action: paused ? 'youtube.queue.pause' : 'youtube.queue.resume', target: 'main' })
      return { paused }
    },
  }
}

function shown({ sites, troubles, ...rest }: ConnectedDownloader) {
  return {
    ...rest,
    troubles: [...troubles],
    sites: sites.map(({ site, reason, waitMs }) => ({
      site,
      reason,
      waitSeconds: Math.ceil(waitMs / 1000),
    })),
  }
}
