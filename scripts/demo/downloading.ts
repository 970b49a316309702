import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { Step } from './cast.ts'
import { expectStatus } from './client.ts'
import { listen } from './listener.ts'

/** From a wish to the film in Plex. */
export const downloading: readonly Step[] = [
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
]
