import { setTimeout as sleep } from 'node:timers/promises'

import {
  linkProtocol,
  parseFrame,
  ToDownloader,
  type FromDownloader,
} from '../../src/contract/downloader-link.ts'
import { createClient, expectStatus } from '../../scripts/demo/client.ts'
import { listen } from '../../scripts/demo/listener.ts'
import type { BenchSystem } from './bench-system.ts'

export type EventFigures = { readonly events: number; readonly perSecond: number; readonly lost: number }

/** No more than this many are said ahead of what was heard, as sockets have no other way to say “slower”. */
const ahead = 256

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
    const heard = (): number =>
      listener.frames.filter(
        ({ event, data: said }) => event === 'youtube:progress' && said.downloadId === data.id,
      ).length
    const startedAt = performance.now()
    for (let said = 0; said < events; said += 1) {
      const progress = { phase: 'downloading', percent: (90 * said) / events, downloadedBytes: said } as const
      link.say({ type: 'progress', ...leased, progress })
      if (said % ahead === ahead - 1) while (said - heard() > ahead) await sleep(1)
    }
    const patience = performance.now() + 30_000
    while (heard() < events && performance.now() < patience) await sleep(1)
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
