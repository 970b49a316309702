import { readdir } from 'node:fs/promises'
import { expect, onTestFinished, test } from 'vitest'

import { createClient, expectStatus } from '../../scripts/demo/client.ts'
import { mediaOf, newPlace, programsOf, sha256Of, startIn, type WholeSystem } from './support/system.ts'
import { enter } from './support/wishes.ts'

/** Signs frank in beside the sessions that the system itself keeps. */
async function signIn({ demo, world }: WholeSystem) {
  const client = createClient(demo.baseUrl)
  const { id, code, pinSecret } = expectStatus(await client.post('/api/auth/plex/pin', {}), 201).body.data
  expect(world.plexTv.claim(code, 'frank')).toBe(true)
  const headers = { 'x-pin-secret': pinSecret }
  const { data } = expectStatus(await client.get(`/api/auth/plex/pin/${id}`, undefined, headers), 200).body
  return { username: 'frank', accessToken: data.accessToken, refreshToken: data.refreshToken }
}

test('stopped in the middle and started again, all is as it was and what was begun is ended', async () => {
  const place = await newPlace()
  const before = await startIn(place)
  onTestFinished(async () => {
    await before.stop()
    await place.remove()
  })
  const person = await signIn(before)
  const site = before.world.videoSite
  const frank = await enter(before, person)
  const done = await frank.ask(site.video('direct').url)
  await frank.hear(done, 'youtube:available')
  const begun = await frank.ask(`${site.url}/watch/rate=600000/slow`)
  await frank.hear(begun, 'youtube:progress', ({ downloadedBytes = 0 }) => downloadedBytes > 200_000)
  const history = await frank.read(done)
  frank.listener.close()
  await before.stop()
  expect(await programsOf(place)).toEqual([])

  const after = await startIn(place)
  onTestFinished(after.stop)
  const again = await enter(after, person)
  expect(await again.read(done)).toEqual(history)
  const { status, attempt, file } = await again.see(begun, 'available', ({ plex }) => plex !== undefined)
  expect({ status, attempt }).toEqual({ status: 'completed', attempt: 1 })
  const media = await mediaOf(after)
  const sums = await Promise.all(media.map((name) => sha256Of(after, name)))
  expect(sums.toSorted()).toEqual([history.file?.sha256, file?.sha256].toSorted())
  const ranges = after.world.videoSite
    .seen()
    .flatMap(({ path, range = 'the whole' }) => (path.endsWith('long.mp4') ? [range] : []))
  expect(ranges).toEqual([expect.stringMatching(/^bytes=[1-9]\d{5,}-$/)])
  expect(await readdir(after.jobsFolder)).toEqual([])

  const { refreshToken } = person
  const refreshed = expectStatus(await again.client.post('/api/auth/refresh', { refreshToken }), 200)
  expect(refreshed.body.data.user.username).toBe('frank')
  again.listener.close()
})
