import assert from 'node:assert/strict'

import type { Step } from './cast.ts'
import { expectStatus } from './client.ts'
import { listen } from './listener.ts'

/** What others tell MediaNest, and what comes of it. */
export const webhooks: readonly Step[] = [
  {
    title: 'Overseerr says that a film has come',
    async play({ client, world, demo, hears, frank }) {
      const film = world.plex.addMovie({ title: 'The Lighthouse Keeper’s Daughter' })
      const before = world.plex.state().scans.length
      const body = {
        notification_type: 'MEDIA_AVAILABLE',
        subject: 'The Lighthouse Keeper’s Daughter (2026)',
        media: { media_type: 'movie', tmdbId: '603', tvdbId: '', status: 'AVAILABLE', status4k: 'UNKNOWN' },
        request: { request_id: '7', requestedBy_email: 'frank@example.org', requestedBy_username: 'frank' },
      }
      expectStatus(await client.post('/api/webhooks/overseerr', body), 401)
      const authorization = demo.webhooks.overseerrAuthorization
      const { data } = expectStatus(
        await client.post('/api/webhooks/overseerr', body, undefined, { authorization }),
        202,
      ).body
      const again = expectStatus(
        await client.post('/api/webhooks/overseerr', body, undefined, { authorization }),
        202,
      ).body
      assert.equal(again.data.joined, data.id)
      const heard = await hears
        .get('frank')
        ?.until('media:available', ({ event }) => event === 'media:available')
      await hears
        .get('frank')
        ?.until(
          'the scan of the films',
          ({ event, data }) => event === 'plex:library:scanned' && data.libraryKey === '1',
        )
      const scans = world.plex.state().scans.slice(before)
      assert.deepEqual(
        scans.map(({ section }) => section),
        ['1'],
        'one scan, of the films',
      )
      expectStatus(await client.get(`/api/plex/items/${film}`, frank), 200)
      assert.equal(
        hears.get('fatima')?.frames.some(({ event }) => event === 'media:available'),
        false,
      )
      return `“${heard?.data.title}”: one scan, told to whom it concerns`
    },
  },
  {
    title: 'GitHub says that something was pushed',
    async play({ client, demo, admin, hears }) {
      hears.set('olivia', await listen(client, demo.liveUrl, admin))
      const push = { ref: 'refs/heads/main', repository: { full_name: 'harbour/house' }, commits: [{}, {}] }
      expectStatus(await client.github('push', push, 'not the secret'), 401)
      expectStatus(await client.github('push', push, demo.webhooks.githubSecret), 202)
      const heard = await hears.get('olivia')?.until('github:push', ({ event }) => event === 'github:push')
      assert.deepEqual(heard?.data, { repository: 'harbour/house', branch: 'main', commits: 2 })
      assert.equal(
        hears.get('frank')?.frames.some(({ event }) => event.startsWith('github:')),
        false,
      )
      return 'admins alone hear of it; a forged one is refused'
    },
  },
]
