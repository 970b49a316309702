import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { createDownloadStore } from '../../../src/platform/download-store.ts'
import { ask } from '../support/client.ts'
import { rowOf } from '../youtube/stored.ts'
import {
  clearQueue,
  completed,
  connect,
  newFriend,
  newVideo,
  queue,
  read,
  request,
  silencePlex,
  type Downloader,
  type Friend,
} from '../youtube/support.ts'

let frank: Friend
let olivia: Friend
let nas: Downloader

beforeEach(async () => {
  await silencePlex()
  ;[frank, olivia] = [await newFriend(), await newFriend()]
  nas = await connect()
})
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

const newer = { ...completed, file: { ...completed.file, bytes: 1_001, sha256: 'c'.repeat(64) } }
const { plexPath } = completed
const url = newVideo()

/** Frank has a film, and Olivia asks for it at another quality: what comes of that is of the same height. */
async function sameHeightAgain() {
  const { id } = await request(frank, { url })
  await nas.ends((await nas.takes(id)).leased, completed)
  await queue().scanned(id, '31')
  const again = await request(olivia, { url, quality: 'best' })
  return { id, againId: again.id, leased: (await nas.takes(again.id)).leased }
}

const cancel = async ({ token }: Friend, id: string) =>
  expect((await ask('POST', `/api/youtube/downloads/${id}/cancel`, { token })).status).toBe(200)

test('a file that takes the place of another belongs to both, and is counted once', async () => {
  const { id, againId, leased } = await sameHeightAgain()
  await nas.ends(leased, newer)
  await queue().scanned(againId, '31')
  expect(await read(olivia, againId)).toMatchObject({ status: 'completed', file: newer.file })
  expect(await read(frank, id)).toMatchObject({ status: 'completed', file: newer.file, shared: true })
  expect(await rowOf(id)).toMatchObject({ sharedFrom: againId, plexPath: null, bytes: null })
  expect(await rowOf(againId)).toMatchObject({ sharedFrom: null, plexPath, bytes: newer.file.bytes })

  const zoe = await newFriend()
  const [third] = await createDownloadStore(drizzle(env.DB), 'server').insertShared([
    {
      from: await read(frank, id),
      download: { ...(await read(frank, id)), id: crypto.randomUUID(), userId: zoe.userId },
    },
  ])
  expect(await rowOf(third?.id ?? '')).toMatchObject({ sharedFrom: againId })
  await env.DB.prepare('delete from downloads where user_id = ?').bind(zoe.userId).run()

  // Neither can take it from the other: the last one takes it away.
  const remove = ({ token }: Friend, which: string) =>
    ask('DELETE', `/api/youtube/downloads/${which}?file=true`, { token })
  expect(await (await remove(olivia, againId)).json()).toMatchObject({ data: { file: 'kept-for-others' } })
  await nas.quiet()
  expect(await (await remove(frank, id)).json()).toMatchObject({ data: { file: 'removing' } })
  expect(await nas.next('remove')).toMatchObject({ jobId: id, plexPath, file: newer.file })
})

test('whoever cancels what took the place of another’s film leaves that one its film', async () => {
  const { id, againId, leased } = await sameHeightAgain()
  await nas.ends(leased, newer)
  await cancel(olivia, againId)
  await nas.quiet()
  expect(await read(olivia, againId)).toMatchObject({ status: 'cancelled', removedAt: expect.any(String) })
  const row = await rowOf(id)
  expect(row).toMatchObject({ sharedFrom: null, plexPath, bytes: newer.file.bytes, file: newer.file })
})

test('a file that was placed when nobody wanted it any more stays where another had one', async () => {
  const { id, againId, leased } = await sameHeightAgain()
  await cancel(olivia, againId)
  await nas.next('cancel')
  await nas.ends(leased, newer)
  await nas.quiet()
  expect(await rowOf(id)).toMatchObject({ plexPath, bytes: newer.file.bytes, file: newer.file })
  expect(await queue().overview()).toMatchObject({ removals: 0 })
})
