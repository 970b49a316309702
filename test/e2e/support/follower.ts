import { listen, type Frame, type Listener } from '../../../scripts/demo/listener.ts'
import { until } from '../../../scripts/local/readiness.ts'
import type { Viewer } from './wishes.ts'

/** Hears all there is to hear, over as many connections as the Worker has lives. */
export type Follower = {
  /** What was heard of a download, in order. */
  readonly heard: (id: string) => readonly Frame[]
  /** Listens anew, as a client does whose connection was lost. */
  readonly again: () => Promise<void>
  readonly close: () => void
}

export async function follow({ client, person }: Viewer, liveUrl: string): Promise<Follower> {
  const listeners: Listener[] = [await listen(client, liveUrl, person)]
  return {
    heard: (id) => listeners.flatMap(({ frames }) => frames.filter(({ data }) => data?.downloadId === id)),
    again: async () => {
      listeners.at(-1)?.close()
      await until(
        async () => {
          listeners.push(await listen(client, liveUrl, person))
          return true
        },
        'the Worker lets nobody listen',
        { patienceMs: 30_000, pauseMs: 100 },
      )
    },
    close: () => listeners.at(-1)?.close(),
  }
}
