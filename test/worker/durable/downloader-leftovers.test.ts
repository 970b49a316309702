import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { leaseMs } from '#contract/downloader-link.ts'

import { ask } from '../support/client.ts'
import { rowOf, storeShared } from '../youtube/stored.ts'
import {
  clearQueue,
  completed,
  connect,
  failed,
  listen,
  newFriend,
  queue,
  read,
  request,
  silencePlex,
  storedJobs,
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

const post = async (id: string, what: 'cancel' | 'retry') =>
  expect((await ask('POST', `/api/youtube/downloads/${id}/${what}`, { token: frank.token })).status).toBe(200)
const storedRow = async (id: string) => {
  const row = await rowOf(id)
  if (!row) throw new Error('there is no such download')
  return row
}
const soon = () => new Date(Date.now() + 3_600_000).toISOString()

test('a cancel while it waits for another try reaches whoever keeps what was fetched', async () => {
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.ends(leased, failed({ retryAt: soon() }))
  expect(await read(frank, id)).toMatchObject({ status: 'retrying' })
  await post(id, 'cancel')
  expect(await nas.next('cancel')).toMatchObject({ jobId: id })
  await nas.quiet()
})

test('when another downloader has finished a job, the one before it is to keep nothing of it', async () => {
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  const vps = await connect({ downloaderId: 'vps' })
  await nas.ends(leased, failed({ code: 'ytdlp-outdated', retryable: false }))
  const second = await vps.takes(id)
  await vps.ends(second.leased, completed)
  expect(await nas.next('cancel')).toMatchObject({ jobId: id })

  // It had put the film somewhere else, as it turns out, when nobody knew of it.
  const stray = { ...completed, plexPath: `${completed.plexPath.slice(0, -4)} - 720p.mp4` }
  nas.say({ type: 'result', ...leased, outcome: stray })
  expect(await nas.next('remove')).toMatchObject({ jobId: id, plexPath: stray.plexPath })
  await nas.next('acknowledged')
  nas.say({ type: 'result', ...leased, outcome: completed })
  expect(await nas.next('acknowledged')).toMatchObject(leased)

  // What others share is the film that is in its place.
  await queue().scanned(id, '7')
  const shared = await storeShared(await newFriend(), await storedRow(id))
  nas.say({ type: 'removed', jobId: id, outcome: 'removed' })
  await nas.quiet()
  expect(await rowOf(shared.id)).toMatchObject({ removedAt: null })
  expect(await rowOf(id)).toMatchObject({ status: 'completed', removedAt: null })
})

test('who comes back with a film of its own while another’s is being scanned is told to remove it', async () => {
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.quiet()
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  await queue().round(Date.now() + leaseMs)
  const vps = await connect({ downloaderId: 'vps' })
  await vps.ends((await vps.takes(id)).leased, completed)
  const stray = { ...completed, plexPath: `${completed.plexPath.slice(0, -4)} - 720p.mp4` }
  const again = await connect({ holding: [leased] })
  expect(again.welcome.drop).toEqual([])
  expect(await again.next('cancel')).toMatchObject(leased)
  again.say({ type: 'result', ...leased, outcome: stray })
  expect(await again.next('remove')).toMatchObject({ jobId: id, plexPath: stray.plexPath })
  await again.next('acknowledged')
})

test('who comes back with parts of what is over is told to remove them, and keeps what may go on', async () => {
  const nas = await connect()
  const failing = await request(frank)
  await nas.ends((await nas.takes(failing.id)).leased, failed({ code: 'network', retryable: false }))
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  const [cancelled, waiting] = [await request(frank), await request(frank)]
  await post(cancelled.id, 'cancel')
  const unknown = crypto.randomUUID()
  const again = await connect({ kept: [cancelled.id, failing.id, waiting.id, unknown] })
  expect(await again.next('cancel')).toMatchObject({ jobId: cancelled.id })
  expect(await again.next('cancel')).toMatchObject({ jobId: unknown })
  await again.takes(waiting.id)
  await again.quiet()
})

test('what was said of a job before it was tried anew does not end the new try', async () => {
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await post(id, 'cancel')
  expect(await nas.next('cancel')).toMatchObject(leased)
  await post(id, 'retry')
  const again = await nas.takes(id)
  expect(again.lease).toBeGreaterThan(leased.lease)
  nas.say({ type: 'result', ...leased, outcome: { kind: 'cancelled' } })
  expect(await nas.next('acknowledged')).toMatchObject(leased)
  await nas.quiet()
  expect(await read(frank, id)).toMatchObject({ status: 'running' })
})

test('a queue that ended between the word of D1 and its own lets go of what is over', async () => {
  const nas = await connect()
  const owner = await listen(frank)
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.quiet()
  await env.DB.prepare(`update downloads set status = 'cancelled', ended_at = ? where id = ?`)
    .bind(new Date().toISOString(), id)
    .run()
  await queue().adopt()
  expect(await nas.next('cancel')).toMatchObject(leased)
  expect(await storedJobs()).toEqual([])
  await expect.poll(() => owner.names().at(-1)).toBe('youtube:cancelled')
  owner.socket.close()
})

test('a newer yt-dlp is known of at once', async () => {
  const nas = await connect()
  const versions = { downloader: '1.0.0', node: '24.0.0', ytDlp: '2026.11.20' }
  nas.say({ type: 'state', state: { freeBytes: 1e12, troubles: [] }, versions })
  await nas.quiet()
  expect(await queue().downloaders()).toMatchObject([{ versions }])
})

test('while the disk is nearly full nothing is offered, and who waits is told for what', async () => {
  const nas = await connect({ state: { freeBytes: 10, troubles: ['low-space'] } })
  const { id } = await request(frank)
  await nas.quiet()
  expect(await read(frank, id)).toMatchObject({ status: 'queued', waitingFor: 'space' })
  nas.say({ type: 'state', state: { freeBytes: 1e12, troubles: [] } })
  await nas.takes(id)
})

test('who comes later does not wait behind somebody’s whole backlog', async () => {
  const olivia = await newFriend()
  const backlog = []
  for (const _ of [1, 2, 3]) backlog.push((await request(frank)).id)
  const nas = await connect()
  const first = await nas.takes(backlog[0])
  const late = await request(olivia)
  await nas.ends(first.leased, completed)
  const second = await nas.takes(late.id)
  await nas.ends(second.leased, { ...completed, plexPath: '/media/other.mp4' })
  await nas.takes(backlog[1])
})

test('a lapsed lease leaves the order of the queue as it was', async () => {
  const nas = await connect()
  const [one, two] = [await request(frank), await request(frank)]
  await nas.takes(one.id)
  nas.socket.close(1000)
  await expect.poll(() => queue().downloaders()).toEqual([])
  await queue().round(Date.now() + leaseMs)
  await (await connect()).takes(one.id)
  expect(await read(frank, two.id)).toMatchObject({ status: 'queued' })
})
