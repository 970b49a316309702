import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'

import { signIn } from '../support/client.ts'
import { clearFaults, control, fault, world } from '../support/world.ts'

const olivia = await signIn('olivia')
const newServer = () => env.PLEX_SERVER.getByName(crypto.randomUUID())
type Server = ReturnType<typeof newServer>

const patience = { timeout: 15_000, interval: 100 }

afterEach(clearFaults)

const State = z.object({ scans: z.array(z.object({ section: z.string(), path: z.string().optional() })) })
const scansOf = async (path: string) =>
  State.parse(await control('plexUrl', 'state', undefined, 'GET')).scans.filter((scan) => scan.path === path)

const isIdle = async (server: Server) => {
  const { queued, running } = await server.scans()
  return queued.length + running.length === 0
}

/** A file in a folder of its own, as a downloader has placed it, and the download that waits for it. */
async function place({ folder = '', isThere = true } = {}) {
  const id = crypto.randomUUID()
  const name = `Channel ${id}/Season 2026/Été ${id}.mp4`
  const placed = isThere ? await control('plexUrl', 'put-file', { name }) : { file: `${folder}/${name}` }
  const { file } = z.object({ file: z.string() }).parse(placed)
  await env.DB.prepare(
    `insert into downloads (id, user_id, video_id, url, quality, format, status, attempt, created_at)
     values (?, ?, ?, 'https://youtu.be/x', '1080p', 'mp4', 'scanning', 1, '2026-01-01T00:00:00.000Z')`,
  )
    .bind(id, olivia.user.id, id)
    .run()
  return {
    name,
    path: file.slice(0, file.lastIndexOf('/')),
    requester: { kind: 'download' as const, downloadId: id, file },
    ended: () =>
      env.DB.prepare('select status, rating_key as ratingKey from downloads where id = ?')
        .bind(id)
        .first<{ status: string; ratingKey: string | null }>(),
    remove: () => control('plexUrl', 'remove-file', { name }),
  }
}

const seen = { status: 'completed', ratingKey: expect.stringMatching(/^\d+$/) }
const notSeen = { status: 'completed', ratingKey: null }

test('a placed file is scanned for, found, and its download told under which key', async () => {
  const server = newServer()
  const { path, requester, ended, remove } = await place()
  await server.requestScan({ path, requester })
  await expect.poll(ended, patience).toEqual(seen)
  await expect.poll(() => isIdle(server), patience).toBe(true)
  const generations = await server.generations()
  // Once for the scan, once more because something was found.
  expect(generations).toEqual({ any: 2, '3': 2 })
  await remove()
})

test('a folder in no library is not scanned, and its download is told that Plex will not show it', async () => {
  const server = newServer()
  const { path, requester, ended } = await place({ folder: `${world.youtubeFolder}2`, isThere: false })
  await server.requestScan({ path, requester })
  await expect.poll(ended, patience).toEqual(notSeen)
  expect(await scansOf(path)).toEqual([])
  expect(await server.generations()).toEqual({})
})

test('while Plex is away a scan waits, and comes when Plex is back', async () => {
  const server = newServer()
  const { path, requester, ended, remove } = await place()
  await fault('plexUrl', { kind: 'status', status: 503, headers: { 'retry-after': '60' } })
  await server.requestScan({ path, requester })
  await expect.poll(async () => (await server.scans()).queued[0]?.attempts, patience).toBe(1)
  const waits = ((await server.scans()).queued[0]?.notBefore ?? 0) - Date.now()
  expect(waits).toBeGreaterThan(4_000)
  await clearFaults()
  await hurry(server)
  await expect.poll(ended, patience).toEqual(seen)
  await remove()
})

/** Takes the wait out of what is queued, as time would. */
async function hurry(server: Server): Promise<void> {
  await runInDurableObject(server, (_, { storage }) => {
    for (const [key, scan] of storage.kv.list<{ notBefore: number }>({ prefix: 'queued-scan:' })) {
      storage.kv.put(key, { ...scan, notBefore: 0 })
    }
  })
  await runDurableObjectAlarm(server)
}

test('an eviction after any step loses nothing', async () => {
  const server = newServer()
  const { path, requester, ended, remove } = await place()
  await server.requestScan({ path, requester })
  await evictDurableObject(server)
  const phase = async () => (await server.scans()).running[0]?.phase
  await expect.poll(phase, patience).toBe('scanning')
  await evictDurableObject(server)
  await expect.poll(ended, patience).toEqual(seen)
  await evictDurableObject(server)
  await expect.poll(() => isIdle(server), patience).toBe(true)
  expect(await scansOf(path)).toHaveLength(1)
  await remove()
})

test('changes are counted for the library and for what spans libraries, across evictions', async () => {
  const server = newServer()
  expect(await server.generations()).toEqual({})
  await server.changed('1')
  await server.changed('2')
  await evictDurableObject(server)
  expect(await server.changed('2')).toEqual({ any: 3, '1': 1, '2': 2 })
  expect(await server.generations()).toEqual({ any: 3, '1': 1, '2': 2 })
})

test('what all isolates have read adds up, and an eviction does not start it over', async () => {
  const server = newServer()
  expect(await server.hitRatio()).toEqual({ reads: 0, hours: 24 })
  await server.generations({ cached: 8, asked: 2 })
  await evictDurableObject(server)
  await server.generations({ cached: 0, asked: 0 })
  expect(await server.hitRatio({ cached: 10, asked: 0 })).toEqual({ hitRatio: 0.9, reads: 20, hours: 24 })
})

test('of fifty who would renew an answer one may, and each answer has its own', async () => {
  const server = newServer()
  const claims = await Promise.all(Array.from({ length: 50 }, () => server.claimRenewal('a')))
  expect(claims.filter(Boolean)).toHaveLength(1)
  expect(await server.claimRenewal('b')).toBe(true)
})
