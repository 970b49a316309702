import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import { plexBreakerName } from '../../../src/platform/plex-upstream.ts'
import { forgetFailures } from '../support/breakers.ts'
import { expectProblem } from '../support/client.ts'
import { member } from '../support/sessions.ts'
import { clearFaults, control, fault, world } from '../support/world.ts'
import { answered, ask, friendOf, idsOf, newItem, place, post, quotaOf } from './asking-support.ts'
import { clearQueue, listen, newVideo, queue, read, silencePlex } from './support.ts'

const [olivia, frank, fatima] = [await member('olivia'), await member('frank'), await member('fatima')]

beforeEach(silencePlex)
afterEach(async () => {
  await clearFaults()
  await clearQueue()
  vi.restoreAllMocks()
})

test('what is in the library is there at once for whoever may see it, and costs nothing', async () => {
  const [owner, other] = [await friendOf(frank), await friendOf(olivia)]
  const json = { url: newVideo(), subtitles: { languages: ['en', 'de'] } }
  const ratingKey = await newItem()
  const { id } = await place(owner, json, ratingKey)
  const warnings = [{ code: 'subtitles-missing', detail: 'There are none to be had in: de.' }]
  await env.DB.prepare('update downloads set warnings = ? where id = ?')
    .bind(JSON.stringify(warnings), id)
    .run()

  const before = await quotaOf(other, ask)
  const live = await listen(other)
  const same = { ...json, subtitles: { languages: ['de', 'en'] } }
  const shared = await answered(post(other, same, 'shared'))
  expect(shared).toMatchObject({
    status: 'completed',
    progress: 100,
    shared: true,
    title: 'A film of a cat',
    plex: { ratingKey },
    file: { bytes: 1_000 },
  })
  expect(shared.id).not.toBe(id)
  expect(await quotaOf(other, ask)).toEqual(before)
  const heard = await live.all(3)
  expect(live.names()).toEqual(['youtube:created', 'youtube:completed', 'youtube:available'])
  expect(heard.map(({ data }) => data['downloadId'])).toEqual([shared.id, shared.id, shared.id])
  expect(heard[0]?.data['download']).not.toHaveProperty('userId')
  expect(heard[1]?.data).toMatchObject({ warnings })
  expect(await read(other, shared.id)).toMatchObject({ shared: true })

  // The same request again is the same; another one of the same is answered with what is there.
  expect(await answered(post(other, same, 'shared'))).toEqual(shared)
  expect(await answered(post(other, same), 200)).toEqual(shared)
  expect(await answered(post(owner, json), 200)).toMatchObject({ id, status: 'completed' })
  await expectProblem(await post(other, { url: newVideo() }, 'shared'), 'idempotency-key-reused')
  expect(await idsOf(other.userId)).toEqual([shared.id])
  live.socket.close()
})

test('what came in a lesser form than the site has is fetched anew for whoever asks', async () => {
  const [owner, other] = [await friendOf(frank), await friendOf(olivia)]
  const json = { url: newVideo() }
  const { id } = await place(owner, json, await newItem())
  await env.DB.prepare('update downloads set warnings = ? where id = ?')
    .bind(JSON.stringify([{ code: 'formats-missing', detail: 'The site kept forms back.' }]), id)
    .run()
  for (const friend of [owner, other])
    expect(await answered(post(friend, json))).toMatchObject({ status: 'queued' })
})

test('sound that is in place is there for the next who asks, though no library of films shows it', async () => {
  const [owner, other] = [await friendOf(frank), await friendOf(olivia)]
  const json = { url: newVideo(), format: 'm4a' }
  const { id } = await place(owner, json, undefined)
  expect(await answered(post(owner, json), 200)).toMatchObject({ id })
  expect(await answered(post(other, json))).toMatchObject({ status: 'completed', shared: true })
})

test('of a download that shares a file, its own user is told nothing of the other', async () => {
  const [owner, other] = [await friendOf(olivia), await friendOf(frank)]
  const json = { url: newVideo() }
  await place(owner, json, await newItem())
  const shared = await answered(post(other, json))
  expect(shared).toMatchObject({ shared: true })
  expect(JSON.stringify(shared)).not.toContain(owner.userId)
  expect(shared).not.toHaveProperty('userId')
})

test('what is on its way out of the library is nobody’s to share any more', async () => {
  const [owner, other] = [await friendOf(frank), await friendOf(olivia)]
  const json = { url: newVideo() }
  const { id } = await place(owner, json, await newItem())
  expect((await ask('DELETE', `/api/youtube/downloads/${id}/file`, owner)).status).toBe(200)
  for (const friend of [other, owner]) {
    const again = await answered(post(friend, json))
    expect(again).toMatchObject({ status: 'queued' })
    expect(again).not.toHaveProperty('shared')
  }
})

test('what is in doubt is fetched', async () => {
  const [owner, other, stranger] = [await friendOf(frank), await friendOf(olivia), await friendOf(fatima)]
  const json = { url: newVideo() }
  const ratingKey = await newItem()
  const { id } = await place(owner, json, ratingKey)
  const isFetched = async (friend: typeof owner, changes = {}) => {
    const download = await answered(post(friend, { ...json, ...changes }))
    expect(download).toMatchObject({ status: 'queued' })
    expect(download).not.toHaveProperty('shared')
    await queue().cancel(friend.userId, download.id)
  }
  // Not of a library of hers.
  await isFetched(stranger)
  await isFetched(other, { quality: '720p' })
  await isFetched(other, { thumbnail: false })

  await env.DB.prepare('update downloads set removed_at = ? where id = ?')
    .bind('2026-01-01T00:00:00.000Z', id)
    .run()
  await isFetched(other)
  await env.DB.prepare('update downloads set removed_at = null where id = ?').bind(id).run()
  expect(await answered(post(owner, json), 200)).toMatchObject({ id })
  await fault('plexUrl', { kind: 'status', status: 500, path: '/library/metadata/*' })
  await isFetched(other)
  await clearFaults()
  await forgetFailures(plexBreakerName(world.machineIdentifier))
  expect(await answered(post(owner, json), 200)).toMatchObject({ id })
  await control('plexUrl', 'remove-item', { ratingKey })
  await isFetched(other)
  await isFetched(owner)
})
