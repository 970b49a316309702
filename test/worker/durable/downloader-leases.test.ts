import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { leaseMs, pingFrame, pongFrame } from '#contract/downloader-link.ts'

import { ask } from '../support/client.ts'
import {
  clearQueue,
  completed,
  connect,
  evictQueue,
  listen,
  newFriend,
  queue,
  read,
  request,
  silencePlex,
  storedJobs,
} from '../youtube/support.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

/** A little later, so that what was heard before and what is heard from now on can be told apart. */
async function later(): Promise<number> {
  await scheduler.wait(20)
  return Date.now()
}

const isStored = async (id: string) => (await storedJobs()).some((job) => job.id === id)

test('after a minute of silence the job goes to another, and the silent one must drop it', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.quiet()
  const now = await later()
  const vps = await connect({ downloaderId: 'vps' })

  await queue().round(now + leaseMs)
  expect(await vps.takes(id)).toMatchObject({ lease: 2, attempt: 1 })
  expect(await nas.closed).toBe(4408)
  const again = await connect({ holding: [leased] })
  expect(again.welcome.drop).toEqual([id])
  await again.ends(leased, completed)
  expect(await read(frank, id)).toMatchObject({ status: 'running' })
})

test('a ping is a sign of life, and neither wakes the queue nor is forgotten by it', async () => {
  const downloader = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  await downloader.takes(id)
  await downloader.quiet()
  const now = await later()
  downloader.socket.send(pingFrame)
  expect(await downloader.raw()).toBe(pongFrame)
  await evictQueue()
  await queue().round(now + leaseMs)
  await downloader.quiet()
  expect(await storedJobs()).toMatchObject([{ id, state: 'leased', lease: { token: 1 } }])
})

test('who comes back in time keeps its jobs, and what it finished meanwhile counts', async () => {
  const nas = await connect({ slots: 2 })
  const frank = await newFriend()
  const [one, two] = [await request(frank), await request(frank)]
  const first = await nas.takes(one.id)
  const second = await nas.takes(two.id)
  await nas.quiet()
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  await queue().round(Date.now() + leaseMs - 1_000)
  await evictQueue()

  const again = await connect({ slots: 2, holding: [first.leased, second.leased] })
  expect(again.welcome.drop).toEqual([])
  await again.ends(second.leased, completed)
  expect(await read(frank, two.id)).toMatchObject({ status: 'scanning' })
  await queue().round(Date.now() + leaseMs - 1_000)
  await again.quiet()
  expect(await storedJobs()).toContainEqual(
    expect.objectContaining({ id: one.id, state: 'leased', lease: expect.objectContaining({ token: 1 }) }),
  )
})

test('who stays away for longer than a lease loses its jobs', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.quiet()
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  await queue().round(Date.now() + leaseMs)
  expect(await read(frank, id)).toMatchObject({ status: 'running', waitingFor: 'downloader' })
  const again = await connect({ holding: [leased] })
  expect(again.welcome.drop).toEqual([id])
  expect(await again.takes(id)).toMatchObject({ lease: 2 })
})

test('who comes back without what it was given gets it again', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  await nas.takes(id)
  await nas.quiet()
  const stranger = { jobId: crypto.randomUUID(), lease: 3 }
  const again = await connect({ holding: [stranger] })
  expect(await nas.closed).toBe(4409)
  expect(again.welcome.drop).toEqual([])
  expect(await again.next('cancel')).toMatchObject(stranger)
  expect(await again.takes(id)).toMatchObject({ lease: 2, attempt: 1 })
})

test('a downloader that was cancelled while it was away is told so, and what it had placed goes', async () => {
  const nas = await connect()
  const frank = await newFriend()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.quiet()
  nas.socket.close(1000)
  await ask('POST', `/api/youtube/downloads/${id}/cancel`, { token: frank.token })
  const again = await connect({ holding: [leased] })
  expect(await again.next('cancel')).toMatchObject(leased)
  again.say({ type: 'result', ...leased, outcome: completed })
  expect(await again.next('remove')).toMatchObject({ jobId: id, plexPath: completed.plexPath })
  await again.next('acknowledged')
  expect(await read(frank, id)).toMatchObject({ status: 'cancelled' })
})

test('a cancel and a result that come at once leave neither a job nor a file, and are told once', async () => {
  for (const resultFirst of [true, false, true, false]) {
    const frank = await newFriend()
    const owner = await listen(frank)
    const nas = await connect({ downloaderId: crypto.randomUUID() })
    const { id } = await request(frank)
    const { leased } = await nas.takes(id)
    await nas.quiet()
    const result = { type: 'result', ...leased, outcome: completed } as const
    if (resultFirst) nas.say(result)
    const cancelling = queue().cancel(frank.userId, id)
    if (!resultFirst) nas.say(result)
    expect(await cancelling).toBe(true)
    expect(await nas.said('remove')).toMatchObject({ jobId: id, plexPath: completed.plexPath })
    await queue().scanned(id, '5')
    await request(frank)
    expect(await read(frank, id)).toMatchObject({ status: 'cancelled' })
    await expect.poll(() => owner.names().at(-1)).toBe('youtube:created')
    const names = owner.names().filter((name) => name !== 'youtube:started' && name !== 'youtube:processing')
    expect(names).toEqual(['youtube:created', 'youtube:cancelled', 'youtube:created'])
    expect(await isStored(id)).toBe(false)
    nas.socket.close(1000)
    await clearQueue()
  }
})

test('a scan that could not be asked for is asked for again, and only until it was', async () => {
  const plex = await silencePlex()
  plex.spy.mockRejectedValueOnce(new Error('away'))
  const frank = await newFriend()
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.ends(leased, completed)
  expect(plex.requests).toEqual([])
  await evictQueue()
  await queue().round()
  await queue().round()
  await queue().adopt()
  expect(plex.requests).toHaveLength(1)
  expect(await read(frank, id)).toMatchObject({ status: 'scanning' })
})
