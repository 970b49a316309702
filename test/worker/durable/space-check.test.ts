import { runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import type { FromDownloader } from '#contract/downloader-link.ts'

import { DownloadQueue } from '../../../src/durable/download-queue.ts'
import { storeFile } from '../youtube/stored.ts'
import {
  clearQueue,
  connect,
  evictQueue,
  listen,
  metadata,
  newFriend,
  queue,
  read,
  request,
  silencePlex,
} from '../youtube/support.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

/** A queue under other settings takes the place of the one that has the connection. */
async function saidUnder(settings: Record<string, string>, said: readonly FromDownloader[]): Promise<void> {
  await runInDurableObject(queue(), async (_, state) => {
    const other = new DownloadQueue(state, { ...env, ...settings })
    const [socket] = state.getWebSockets()
    if (!socket) throw new Error('nobody is connected')
    for (const message of said) await other.webSocketMessage(socket, JSON.stringify(message))
  })
  await evictQueue()
}

const weighing = (bytes: number) => ({
  ...metadata,
  availableHeights: [1080],
  offers: [{ heightPixels: 1080, videoCodec: 'h264', audioCodec: 'aac', bytes }],
})

test('what has no room by the quota fails once its size is known, and is stopped', async () => {
  const frank = await newFriend()
  await storeFile(frank, { bytes: 900, plexPath: '/media/youtube/Cats/there.mp4' })
  const owner = await listen(frank)
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.offered(id)
  await saidUnder({ USER_QUOTA_BYTES: '1000' }, [{ type: 'started', ...leased, metadata: weighing(101) }])
  expect(await nas.next('cancel')).toMatchObject(leased)
  nas.say({ type: 'result', ...leased, outcome: { kind: 'cancelled' } })
  await nas.next('acknowledged')
  const failure = { code: 'quota-exceeded', retryable: false, advice: expect.stringContaining('remove') }
  expect(await read(frank, id)).toMatchObject({ status: 'failed', failure })
  await expect.poll(() => owner.names()).toEqual(['youtube:created', 'youtube:failed'])
  owner.socket.close()
})

test('what others are fetching counts before it is there, and the last byte may be used', async () => {
  const [frank, fatima] = [await newFriend(), await newFriend()]
  await storeFile(frank, { bytes: 900, plexPath: '/media/youtube/Cats/there.mp4' })
  const nas = await connect({ slots: 2 })
  const [whole, more] = [await request(frank), await request(fatima)]
  const [first, second] = [await nas.offered(whole.id), await nas.offered(more.id)]
  await saidUnder({ TOTAL_QUOTA_BYTES: '1000' }, [
    { type: 'started', ...first.leased, metadata: weighing(100) },
    { type: 'started', ...second.leased, metadata: weighing(1) },
  ])
  expect(await nas.next('cancel')).toMatchObject(second.leased)
  await nas.quiet()
  expect(await read(frank, whole.id)).toMatchObject({ status: 'running' })
})
