import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

import { expectStatus } from '../../scripts/demo/client.ts'
import { runDownloader, type DownloaderProcess } from '../../scripts/local/downloader-process.ts'
import { until } from '../../scripts/local/readiness.ts'
import { createYouTube, type YouTube, type YouTubeView } from '../world/youtube/youtube.ts'
import { systemForFile } from './support/shared-system.ts'
import { mediaOf } from './support/system.ts'
import { countOf, enter, type Viewer } from './support/wishes.ts'

const system = systemForFile()
const ids = ['two_downl_1', 'two_downl_2', 'two_downl_3', 'two_downl_4']
const started: DownloaderProcess[] = []
let frank: Viewer
let youTube: YouTube
let blocked: YouTubeView
let welcome: YouTubeView

/** A downloader with an address of its own, so to speak: YouTube may treat it otherwise than another. */
async function startDownloader(name: string, view: YouTubeView): Promise<void> {
  const { baseUrl, secrets, stateFolder, libraryFolder, tools } = system()
  const own = join(stateFolder, name)
  await mkdir(own)
  const downloader = runDownloader({
    root: resolve(import.meta.dirname, '../..'),
    env: {
      PATH: process.env['PATH'],
      LINK_URL: `${baseUrl.replace(/^http/, 'ws')}/api/downloader/link`,
      DOWNLOADER_TOKEN: secrets.DOWNLOADER_TOKEN,
      DOWNLOADER_ID: name,
      LIBRARY_DIR: libraryFolder,
      WORK_DIR: own,
      STATE_DIR: own,
      RESERVE_BYTES: '1000000',
      HEALTH_PORT: 'off',
      YT_DLP_PATH: view.ytDlp,
      FFMPEG_PATH: tools.ffmpeg,
      FFPROBE_PATH: tools.ffprobe,
    },
    onLog: () => undefined,
  })
  started.push(downloader)
  downloader.start()
}

const overview = async () =>
  expectStatus(await frank.client.get('/api/youtube/queue', system().demo.admin), 200).body.data

type Connected = { readonly id: string; readonly sites: readonly { site: string; reason: string }[] }

beforeAll(async () => {
  const { downloader, tools, world, demo } = system()
  await downloader.stop()
  frank = await enter(system(), demo.friends[0])
  youTube = await createYouTube({ site: world.videoSite, ytDlp: tools.ytDlp })
  blocked = await youTube.view()
  welcome = await youTube.view()
  await blocked.say('bot-check')
  await startDownloader('blocked', blocked)
  await startDownloader('welcome', welcome)
  await until(async () => (await overview()).downloaders.length === 2, 'the downloaders do not connect')
})

afterAll(async () => {
  frank.listener.close()
  await Promise.all(started.map((downloader) => downloader.stop()))
  await youTube.close()
})

test('what one downloader is refused, the other does, and nothing is lost', async () => {
  const asked: string[] = []
  for (const id of ids) asked.push(await frank.ask(await youTube.publish({ id, title: `Film ${id}` })))
  for (const id of asked) {
    const { status, attempt } = await frank.see(id, 'available', ({ plex }) => plex !== undefined)
    expect({ status, attempt }).toEqual({ status: 'completed', attempt: 1 })
    expect(countOf(frank.heard(id), 'youtube:completed')).toBe(1)
    expect(countOf(frank.heard(id), 'youtube:failed')).toBe(0)
  }
  expect(await mediaOf(system())).toHaveLength(ids.length)

  const done = (await welcome.runs()).filter(({ mode }) => mode === 'download').map(({ id }) => id)
  expect(done.toSorted()).toEqual(ids)
  const refused = await blocked.runs()
  expect(refused.length).toBeGreaterThan(0)
  expect(refused.every(({ said }) => said === 'bot-check')).toBe(true)
  // Two were on their way to it when it was refused; nothing was tried there after that.
  expect(refused.length).toBeLessThanOrEqual(2)

  const downloaders: readonly Connected[] = (await overview()).downloaders
  expect(downloaders.find(({ id }) => id === 'blocked')?.sites).toMatchObject([
    { site: 'youtube.com', reason: 'bot-check' },
  ])
  expect(downloaders.find(({ id }) => id === 'welcome')?.sites).toEqual([])
})
