import assert from 'node:assert/strict'

import type { Step } from './cast.ts'
import { expectStatus } from './client.ts'

/** Scans, outages, health and the way out. */
export const operating: readonly Step[] = [
  {
    title: 'Olivia has the shows scanned; Frank may not',
    async play({ client, admin, frank, hears }) {
      expectStatus(await client.post('/api/plex/libraries/1/refresh', {}, frank), 403)
      expectStatus(await client.post('/api/plex/libraries/2/refresh', {}, admin), 202)
      await hears
        .get('olivia')
        ?.until(
          'the scan of the shows',
          ({ event, data }) => event === 'plex:library:scanned' && data.libraryKey === '2',
        )
      return undefined
    },
  },
  {
    title: 'Plex goes away: what is known stays readable',
    async play({ client, world, frank }) {
      expectStatus(await client.get('/api/plex/libraries', frank), 200)
      world.plex.fault({ kind: 'reset' })
      const stale = expectStatus(await client.get('/api/plex/libraries', frank), 200)
      const cold = await client.get('/api/plex/libraries/1/items?limit=3&offset=30', frank)
      world.plex.clearFaults()
      assert.equal(cold.status, 503)
      assert.equal(cold.body.code, 'plex-unavailable')
      assert(Number(cold.headers.get('retry-after')) > 0)
      return `known: ${stale.headers.get('x-cache')}; unknown: 503, try again in ${cold.headers.get('retry-after')} s`
    },
  },
  {
    title: 'Health tells each what concerns them',
    async play({ client, admin }) {
      assert.equal(expectStatus(await client.get('/api/health/live'), 200).body.data.status, 'healthy')
      const open = expectStatus(await client.get('/api/health/system'), 200).body.data
      assert.deepEqual(Object.keys(open), ['status'])
      const full = expectStatus(await client.get('/api/health/system', admin), 200).body.data
      const plex = expectStatus(await client.get('/api/plex/health'), 200).body.data
      const youtube = expectStatus(await client.get('/api/youtube/health'), 200).body.data
      assert.equal(youtube.status, 'healthy')
      return `system ${open.status}, ${full.services.length} services, Plex ${plex.status}, downloads ${youtube.status}`
    },
  },
  {
    title: 'Frank signs out, and that is that',
    async play({ client, notes }) {
      assert(notes.frank)
      expectStatus(await client.post('/api/auth/sign-out', {}, notes.frank), 204)
      const after = expectStatus(await client.get('/api/plex/libraries', notes.frank), 401)
      assert.equal(after.body.code, 'session-revoked')
      return 'his token is dead at once'
    },
  },
]
