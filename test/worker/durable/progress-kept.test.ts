import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { leaseMs } from '#contract/downloader-link.ts'

import {
  clearQueue,
  connect,
  evictQueue,
  failed,
  listen,
  newFriend,
  progress,
  queue,
  read,
  request,
  silencePlex,
  type Friend,
} from '../youtube/support.ts'

let frank: Friend
beforeEach(async () => {
  await silencePlex()
  frank = await newFriend()
})
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

test('who looks while a film is put into shape sees how far it is, though the object has forgotten', async () => {
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  nas.say({ type: 'progress', ...leased, progress: progress(92, 'processing') })
  await nas.quiet()
  await evictQueue()
  expect(await read(frank, id)).toMatchObject({ status: 'running', progress: 92, phase: 'processing' })
  const late = await listen(frank)
  expect(late.hello).toMatchObject({ downloads: [{ id, progress: 92, phase: 'processing' }] })
  late.socket.close()
})

test('what is given back goes on from where its owner believes it to be, and another try begins anew', async () => {
  const nas = await connect()
  const owner = await listen(frank)
  const { id } = await request(frank)
  const first = await nas.takes(id)
  nas.say({ type: 'progress', ...first.leased, progress: progress(60) })
  await nas.ends(first.leased, { kind: 'returned' })
  const second = await nas.takes(id)
  await nas.quiet()
  await evictQueue()
  nas.say({ type: 'progress', ...second.leased, progress: progress(1) })
  await nas.quiet()
  expect(await read(frank, id)).toMatchObject({ progress: 60 })

  await nas.ends(second.leased, failed())
  await queue().round(Date.now() + leaseMs - 1_000)
  const third = await nas.takes(id)
  nas.say({ type: 'progress', ...third.leased, progress: progress(2) })
  await nas.quiet()
  expect(await read(frank, id)).toMatchObject({ attempt: 2, progress: 2 })
  const told = () => owner.heard.filter(({ event }) => event === 'youtube:progress')
  await expect.poll(() => told().map(({ data }) => data['progress'])).toEqual([60, 60, 60, 2])
  owner.socket.close()
})

test('an owner is told when the downloader of a film is gone', async () => {
  const nas = await connect()
  const owner = await listen(frank)
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  nas.say({ type: 'progress', ...leased, progress: { ...progress(43), etaSeconds: 9 } })
  await nas.quiet()
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  await evictQueue()
  await queue().round(Date.now() + leaseMs)
  const last = { downloadId: id, progress: 43, phase: 'downloading', waitingFor: 'downloader' }
  await expect.poll(() => owner.heard.at(-1)).toEqual({ event: 'youtube:progress', data: last })
  expect(await read(frank, id)).toMatchObject({ progress: 43, waitingFor: 'downloader' })
  owner.socket.close()
})
