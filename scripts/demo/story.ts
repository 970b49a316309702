import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Demo } from '../local/demo-file.ts'
import type { DemoWorld } from '../local/demo-world.ts'
import { createClient, expectStatus, type Client, type Person } from './client.ts'
import { listen, type Listener } from './listener.ts'

export type Stage = { readonly demo: Demo; readonly world: DemoWorld; readonly libraryFolder: string }

type Cast = Stage & {
  readonly client: Client
  readonly admin: Person
  readonly frank: Person
  readonly fatima: Person
  readonly hears: Map<string, Listener>
  readonly notes: { downloadId?: string; ratingKey?: string; videoUrl?: string; frank?: Person }
}

export type Step = { readonly title: string; readonly play: (cast: Cast) => Promise<string | undefined> }

export function castOf(stage: Stage): Cast {
  const { demo } = stage
  const [frank, fatima] = demo.friends
  assert(frank && fatima)
  return {
    ...stage,
    client: createClient(demo.baseUrl),
    admin: demo.admin,
    frank,
    fatima,
    hears: new Map(),
    notes: {},
  }
}

export function leave({ hears }: Cast): void {
  for (const listener of hears.values()) listener.close()
}

/** What MediaNest is for, one step after the other. Each step checks what it claims. */
export const story: readonly Step[] = [
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
      assert(found.meta.count > 0)
      return `${body.meta.total} films; “${first.title}” is not Fatima’s to see`
    },
  },
  {
    title: 'asks what a video is',
    async play({ client, frank, demo, world, notes }) {
      const video = world.videoSite.video('dash')
      notes.videoUrl = video.url
      const path = `/api/youtube/metadata?url=${encodeURIComponent(video.url)}`
      const { body } = expectStatus(await client.get(path, frank), 200)
      assert.equal(body.data.title, video.title)
      assert(demo.videoSite.videos.length > 5)
      for (const bad of [
        '--exec=id',
        'file:///etc/passwd',
        'http://127.0.0.1:1/x',
        'https://evil.example/?youtube.com',
      ]) {
        const answer = await client.get(`/api/youtube/metadata?url=${encodeURIComponent(bad)}`, frank)
        assert.equal(answer.body.code, 'unsupported-url')
      }
      return `“${body.data.title}”, ${Math.round(body.data.durationSeconds)} s, ${body.data.availableQualities.join(' ')}`
    },
  },
  {
    title: 'asks for it, and listens',
    async play({ client, frank, fatima, demo, hears, notes }) {
      hears.set('frank', await listen(client, demo.liveUrl, frank))
      hears.set('fatima', await listen(client, demo.liveUrl, fatima))
      const wish = { url: notes.videoUrl, quality: '720p', format: 'mp4' }
      const { data } = expectStatus(await client.post('/api/youtube/download', wish, frank), 201).body
      notes.downloadId = data.id
      const twice = expectStatus(
        await client.post('/api/youtube/download', { ...wish, quality: 'best' }, frank),
        409,
      )
      assert.equal(twice.body.downloadId, data.id)
      expectStatus(await client.get(`/api/youtube/downloads/${data.id}`, fatima), 404)
      return `status ${data.status}; asking twice is refused`
    },
  },
  {
    title: 'watches yt-dlp at work, live',
    async play({ hears, notes }) {
      const frank = hears.get('frank')
      assert(frank)
      const mine = ({ data }: { data: { downloadId?: string } }) => data.downloadId === notes.downloadId
      await frank.until(
        'the scan',
        (frame) => mine(frame) && frame.event === 'youtube:processing' && frame.data.phase === 'scanning',
      )
      const progress = frank.frames
        .filter((frame) => mine(frame) && frame.event === 'youtube:progress')
        .map(({ data }) => data.progress)
      assert(progress.length > 0, 'there was progress')
      assert(
        progress.every((value, index) => index === 0 || value >= progress[index - 1]),
        'progress never goes back',
      )
      const others = hears.get('fatima')?.frames.filter(({ event }) => event.startsWith('youtube:'))
      assert.deepEqual(others, [], 'nobody else hears of it')
      return `${progress.length} reports, never backwards`
    },
  },
  {
    title: 'finds the file in the library folder',
    async play({ client, frank, libraryFolder, notes }) {
      const { file } = expectStatus(
        await client.get(`/api/youtube/downloads/${notes.downloadId}`, frank),
        200,
      ).body.data
      const names = (await readdir(libraryFolder, { recursive: true })).filter((name) =>
        name.endsWith(file.name),
      )
      assert.equal(names.length, 1, 'one file')
      const bytes = await readFile(join(libraryFolder, names[0] ?? ''))
      assert.equal(createHash('sha256').update(bytes).digest('hex'), file.sha256)
      assert.equal(bytes.length, file.bytes)
      return `${file.heightPixels}p, ${(file.bytes / 1024).toFixed(0)} KiB, its sha256 as reported`
    },
  },
  {
    title: 'and in Plex',
    async play({ client, frank, hears, notes }) {
      const available = await hears
        .get('frank')
        ?.until(
          '“available”',
          ({ event, data }) => event === 'youtube:available' && data.downloadId === notes.downloadId,
        )
      assert(available)
      const { ratingKey, url } = available.data
      const item = expectStatus(await client.get(`/api/plex/items/${ratingKey}`, frank), 200).body.data
      assert.equal(item.libraryKey, '3')
      const { data } = expectStatus(
        await client.get(`/api/youtube/downloads/${notes.downloadId}`, frank),
        200,
      ).body
      assert.equal(data.status, 'completed')
      assert.equal(data.plex.url, url)
      return `“${item.title}”, a link that opens it`
    },
  },
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
