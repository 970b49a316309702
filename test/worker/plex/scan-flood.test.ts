import { evictDurableObject } from 'cloudflare:test'
import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test } from 'vitest'
import * as z from 'zod'

import { signIn } from '../support/client.ts'
import { control } from '../support/world.ts'
import { subscribe } from './subscriber.ts'
import { askedOfPlex, startOver } from './support.ts'

const olivia = await signIn('olivia')
const newServer = () => env.PLEX_SERVER.getByName(crypto.randomUUID())
type Server = ReturnType<typeof newServer>

beforeEach(startOver)
afterEach(startOver)

const File = z.object({ file: z.string() })
async function put(folder: string) {
  const { file } = File.parse(await control('plexUrl', 'put-file', { name: `${folder}/Film.mp4` }))
  return { file, path: file.slice(0, file.lastIndexOf('/')) }
}

/** A thousand who wait: downloads, deliveries and people, for ten folders. */
async function thousand(server: Server, betweenSteps: () => Promise<void>) {
  const folders = await Promise.all(Array.from({ length: 10 }, () => put(crypto.randomUUID())))
  const firstDelivery = Date.now() * 1_000
  const requests = Array.from({ length: 1_000 }, (_, i) => {
    const { path, file } = folders[i % 10] ?? { path: '', file: '' }
    const requester =
      i % 20 < 10
        ? { kind: 'delivery' as const, deliveryId: firstDelivery + i }
        : i % 40 < 30
          ? { kind: 'download' as const, downloadId: crypto.randomUUID(), file }
          : { kind: 'user' as const, userId: olivia.user.id, file }
    return { path, requester }
  })
  const insertDelivery = env.DB.prepare(
    `insert into deliveries (id, source, event, verdict, dedup_key, status, attempts, kept, outcome)
     values (?, 'overseerr', 'x', 'verified', ?, 'processed', 1, '{}', 'refreshed library 3, asked for a scan')`,
  )
  const insertDownload = env.DB.prepare(
    `insert into downloads (id, user_id, video_id, url, quality, format, status, attempt, created_at)
     values (?, ?, ?, 'https://youtu.be/x', '1080p', 'mp4', 'scanning', 1, '2026-01-01T00:00:00.000Z')`,
  )
  await env.DB.batch(
    requests.flatMap(({ requester }) => {
      if (requester.kind === 'delivery')
        return [insertDelivery.bind(requester.deliveryId, crypto.randomUUID())]
      if (requester.kind === 'user') return []
      return [insertDownload.bind(requester.downloadId, olivia.user.id, requester.downloadId)]
    }),
  )
  const mine = await subscribe(olivia)
  const asked = await askedOfPlex(async () => {
    const ids = new Set(await Promise.all(requests.map((request) => server.requestScan(request))))
    const isIdle = async () => {
      await betweenSteps()
      const { queued, running } = await server.scans()
      return queued.length + running.length
    }
    await expect.poll(isIdle, { timeout: 60_000, interval: 100 }).toBe(0)
    const heard = new Set(mine.scanned().map(({ scanId }) => scanId))
    // People wait for the folders with an odd number, as `requests` has it.
    const theirs = new Set(
      requests.flatMap(({ requester, path }) => (requester.kind === 'user' ? [path] : [])),
    )
    expect([...heard].filter((id) => id !== undefined && ids.has(id))).toHaveLength(theirs.size)
  })
  mine.close()
  const paths = asked.filter((one) => one.path.endsWith('/refresh')).map(({ query }) => query)
  expect(paths).toHaveLength(10)
  expect(new Set(paths).size).toBe(10)
  const noted = await env.DB.prepare(
    `select count(*) as count from deliveries where id >= ? and outcome like '%scan: seen%'`,
  )
    .bind(firstDelivery)
    .first('count')
  expect(noted).toBe(requests.filter(({ requester }) => requester.kind === 'delivery').length)
  const downloads = requests.flatMap(({ requester }) =>
    requester.kind === 'download' ? [requester.downloadId] : [],
  )
  const told = await env.DB.prepare(
    `select count(*) as count from downloads where status = 'completed' and rating_key is not null
     and id in (select value from json_each(?))`,
  )
    .bind(JSON.stringify(downloads))
    .first('count')
  expect(told).toBe(downloads.length)
}

test(
  'a thousand requests for ten folders are ten scans, and all thousand learn what happened',
  { timeout: 90_000 },
  async () => {
    await thousand(newServer(), async () => undefined)
  },
)

test('the same with the object evicted between any two steps', { timeout: 90_000 }, async () => {
  const server = newServer()
  await thousand(server, () => evictDurableObject(server))
})
