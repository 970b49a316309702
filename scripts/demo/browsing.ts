import assert from 'node:assert/strict'

import type { Step } from './cast.ts'
import { expectStatus, type Person } from './client.ts'

/** A friend signs in and looks around. */
export const browsing: readonly Step[] = [
  {
    title: 'Frank signs in with Plex',
    async play({ client, world, notes }) {
      const { body } = expectStatus(await client.post('/api/auth/plex/pin', {}), 201)
      const { id, code, pinSecret } = body.data
      const poll = () => client.get(`/api/auth/plex/pin/${id}`, undefined, { 'x-pin-secret': pinSecret })
      expectStatus(await poll(), 202)
      assert.equal(
        (await client.get(`/api/auth/plex/pin/${id}`)).status,
        404,
        'a stranger may not collect it',
      )
      assert(world.plexTv.claim(code, 'frank'))
      const { data } = expectStatus(await poll(), 200).body
      assert.equal(data.user.role, 'user')
      notes.frank = { username: 'frank', accessToken: data.accessToken }
      return `as ${data.user.username}, ${data.user.role}`
    },
  },
  {
    title: 'browses the libraries that were shared with him, and no others',
    async play({ client, frank, fatima }) {
      const keys = async (person: Person) => {
        const { body } = expectStatus(await client.get('/api/plex/libraries', person), 200)
        return body.data.map(({ key }: { key: string }) => key).join(' ')
      }
      assert.equal(await keys(frank), '1 3')
      assert.equal(await keys(fatima), '2 3')
      const again = expectStatus(await client.get('/api/plex/libraries', frank), 200)
      assert.equal(again.headers.get('x-cache'), 'HIT')
      const same = await client.get('/api/plex/libraries', frank, {
        'if-none-match': again.headers.get('etag') ?? '',
      })
      assert.equal(same.status, 304)
      return 'the second time from the cache, the third a 304'
    },
  },
  {
    title: 'looks into one, and searches',
    async play({ client, frank, fatima }) {
      const { body } = expectStatus(await client.get('/api/plex/libraries/1/items?limit=5', frank), 200)
      assert.equal(body.data.length, 5)
      assert(body.meta.total >= 40)
      const first = body.data.find(({ title }: { title: string }) => title.includes(' '))
      expectStatus(await client.get(`/api/plex/items/${first.ratingKey}`, frank), 200)
      expectStatus(await client.get(`/api/plex/items/${first.ratingKey}`, fatima), 404)
      const word = encodeURIComponent(first.title.split(' ')[0])
      const found = expectStatus(await client.get(`/api/plex/search?query=${word}`, frank), 200).body
      assert(found.meta.total > 0)
      return `${body.meta.total} films; “${first.title}” is not Fatima’s to see`
    },
  },
]
