import { createClient, expectStatus, type Client, type Person } from '../../../scripts/demo/client.ts'
import { listen, type Frame, type Listener } from '../../../scripts/demo/listener.ts'
import { until } from '../../../scripts/local/readiness.ts'
import type { Download } from '../../../src/contract/downloads.ts'
import { filesOf, type WholeSystem } from './system.ts'

/** One person who asks for videos and hears what becomes of them. */
export type Viewer = {
  readonly person: Person
  readonly client: Client
  readonly listener: Listener
  readonly ask: (url: string, wish?: { quality?: string; format?: string }) => Promise<string>
  readonly read: (id: string) => Promise<Download>
  /** The first frame about a download that fits, there already or still to come. */
  readonly hear: (id: string, event: string, fits?: (data: Frame['data']) => boolean) => Promise<Frame>
  /** What was heard of a download. */
  readonly heard: (id: string) => readonly Frame[]
  /** Forgets what has ended and has its files taken out of the library; answers when they are gone. */
  readonly clear: () => Promise<void>
  /** Waits until the download is as wanted, whatever was heard of it. */
  readonly see: (id: string, what: string, fits: (download: Download) => boolean) => Promise<Download>
}

const patienceMs = 60_000

export async function enter(system: WholeSystem, person: Person | undefined): Promise<Viewer> {
  if (!person) throw new Error('there is no such person')
  const { demo } = system
  const client = createClient(demo.baseUrl)
  const listener = await listen(client, demo.liveUrl, person)
  const about = (id: string) => (frame: Frame) => frame.data?.downloadId === id
  const read = async (id: string): Promise<Download> =>
    expectStatus(await client.get(`/api/youtube/downloads/${id}`, person), 200).body.data

  return {
    person,
    client,
    listener,
    ask: async (url, wish = {}) =>
      expectStatus(await client.post('/api/youtube/download', { url, ...wish }, person), 201).body.data.id,
    read,
    hear: (id, event, fits = () => true) =>
      listener.until(
        `${event} of ${id}`,
        (frame) => frame.event === event && about(id)(frame) && fits(frame.data),
        patienceMs,
      ),
    heard: (id) => listener.frames.filter(about(id)),
    clear: async () => {
      const { data } = expectStatus(await client.get('/api/youtube/downloads?limit=100', person), 200).body
      for (const { id } of data)
        expectStatus(await client.delete(`/api/youtube/downloads/${id}?file=true`, person), 200)
      const isEmpty = async (): Promise<boolean> => (await filesOf(system)).length === 0
      await until(isEmpty, 'the library is not emptied', { patienceMs })
    },
    see: async (id, what, fits) => {
      let last: Download | undefined
      await until(
        async () => {
          last = await read(id)
          return fits(last)
        },
        `the download did not become ${what}`,
        { patienceMs, pauseMs: 100 },
      ).catch((error: unknown) => {
        throw new Error(`${String(error)}: ${JSON.stringify(last)}`, { cause: error })
      })
      if (!last) throw new Error('it was never read')
      return last
    },
  }
}

export const countOf = (frames: readonly Frame[], event: string): number =>
  frames.filter((frame) => frame.event === event).length
