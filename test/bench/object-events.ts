import { setTimeout as sleep } from 'node:timers/promises'

import {
  linkProtocol,
  parseFrame,
  ToDownloader,
  type FromDownloader,
} from '../../src/contract/downloader-link.ts'
import { createClient, expectStatus } from '../../scripts/demo/client.ts'
import { listen, type Listener } from '../../scripts/demo/listener.ts'
import type { BenchSystem } from './bench-system.ts'
import { reach, type Patience } from './patience.ts'

export type EventFigures = { readonly events: number; readonly perSecond: number; readonly lost: number }

/** No more than this many are said ahead of what was heard, as sockets have no other way to say “slower”. */
const ahead = 256
/** What has not come by then is lost. */
const patience: Patience = { patienceMs: 10_000, now: () => performance.now(), wait: () => sleep(1) }

/**
 * How many events pass from a downloader's socket through the queue's object and the room to a subscriber, each parsed,
 * checked against its lease and published. The measurement itself is the downloader.
 */
export async function measureEvents(system: BenchSystem, events: number): Promise<EventFigures> {
  const { demo, world, downloader } = system
  const [friend] = demo.friends
  if (!friend) throw new Error('nobody is there to listen')
  await downloader.kill('SIGTERM')
  const client = createClient(demo.baseUrl)
  const listener = await listen(client, demo.liveUrl, friend)
  const link = await openLink(system)
  try {
    const url = `${world.videoSite.video('slow').url}?events`
    const { data } = expectStatus(await client.post('/api/youtube/download', { url }, friend), 201).body
    const leased = await link.offer
    link.say({ type: 'accepted', ...leased })
    const heard = countProgress(listener, data.id)
    const startedAt = performance.now()
    for (let said = 0; said < events; said += 1) {
      const progress = { phase: 'downloading', percent: (90 * said) / events, downloadedBytes: said } as const
      link.say({ type: 'progress', ...leased, progress })
      if (said % ahead === ahead - 1 && !(await reach(said - ahead, heard, patience))) break
    }
    await reach(events, heard, patience)
    const seconds = (performance.now() - startedAt) / 1_000
    const failure = { code: 'removed', retryable: false } as const
    link.say({ type: 'result', ...leased, outcome: { kind: 'failed', failure } })
    await listener.until('the end', ({ event }) => event === 'youtube:failed')
    return { events, perSecond: events / seconds, lost: events - heard() }
  } finally {
    link.close()
    listener.close()
  }
}

/** Each frame is looked at once: to look at them all again each time would be what is measured. */
function countProgress({ frames }: Listener, downloadId: string): () => number {
  let looked = 0
  let count = 0
  return () => {
    for (const { event, data } of frames.slice(looked))
      if (event === 'youtube:progress' && data.downloadId === downloadId) count += 1
    looked = frames.length
    return count
  }
}

type Leased = { readonly jobId: string; readonly lease: number }

async function openLink({ baseUrl, secrets }: BenchSystem) {
  const socket = new WebSocket(`${baseUrl.replace(/^http/, 'ws')}/api/downloader/link`, {
    headers: { authorization: `Bearer ${secrets.DOWNLOADER_TOKEN}` },
  })
  const say = (message: FromDownloader): void => socket.send(JSON.stringify(message))
  const offered = Promise.withResolvers<Leased>()
  const welcomed = Promise.withResolvers<void>()
  socket.addEventListener('message', ({ data }) => {
    const message = parseFrame(ToDownloader, data)
    if (message?.type === 'welcome') welcomed.resolve()
    if (message?.type === 'offer') offered.resolve({ jobId: message.job.jobId, lease: message.job.lease })
  })
  socket.addEventListener('open', () =>
    say({
      type: 'hello',
      protocol: linkProtocol,
      downloaderId: 'bench',
      versions: { downloader: 'bench', node: process.versions.node },
      slots: 1,
      state: { freeBytes: 1e12, troubles: [] },
      holding: [],
    }),
  )
  await welcomed.promise
  return { say, offer: offered.promise, close: () => socket.close() }
}
