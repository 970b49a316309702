import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { ask } from '../support/client.ts'
import {
  clearQueue,
  completed,
  connect,
  failed,
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

test('a download that was stored and never handed over is taken in, once', async () => {
  const frank = await newFriend()
  const { id } = await request(frank)
  await clearMemory()
  expect(await queue().queued()).toBe(0)
  expect(await queue().adopt()).toBe(0)
  const later = Date.now() + 60_000
  expect(await queue().adopt(later)).toBe(1)
  expect(await queue().adopt(later)).toBe(0)
  await (await connect()).offered(id)
})

test('what was running or in place when the queue lost it comes to an end all the same', async () => {
  const nas = await connect({ slots: 2 })
  const frank = await newFriend()
  const [running, placed] = [await request(frank), await request(frank)]
  const first = await nas.takes(running.id)
  const second = await nas.takes(placed.id)
  const retryAt = new Date(Date.now() + 3_600_000).toISOString()
  await nas.ends(first.leased, failed({ retryAt }))
  await nas.ends(second.leased, completed)
  await clearMemory()
  expect(await queue().adopt(Date.now() + 60_000)).toBe(2)
  const again = await connect({ holding: [first.leased] })
  expect(again.welcome.drop).toEqual([running.id])
  expect(await again.takes(running.id)).toMatchObject({ attempt: 2 })
  expect(await read(frank, placed.id)).toMatchObject({ status: 'completed', file: completed.file })
})

test('a download the queue has lost can be cancelled', async () => {
  const frank = await newFriend()
  const { id } = await request(frank)
  await clearMemory()
  const answer = await ask('POST', `/api/youtube/downloads/${id}/cancel`, { token: frank.token })
  expect(answer.status).toBe(200)
  expect(await queue().adopt(Date.now() + 60_000)).toBe(0)
})

/** Forgets all jobs; D1 keeps what it knows. */
async function clearMemory(): Promise<void> {
  const { results } = await env.DB.prepare('select * from downloads').all()
  await clearQueue()
  for (const row of results) {
    const names = Object.keys(row)
    const sql = `insert into downloads (${names.join()}) values (${names.map(() => '?').join()})`
    await env.DB.prepare(sql)
      .bind(...Object.values(row))
      .run()
  }
}
