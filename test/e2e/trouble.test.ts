import { chmod, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'

import { expectStatus } from '../../scripts/demo/client.ts'
import { downloaderEnvironment } from '../../scripts/local/downloader-environment.ts'
import { demoVars } from '../../scripts/local/demo-world.ts'
import { runDownloader } from '../../scripts/local/downloader-process.ts'
import { hasDownloader, until } from '../../scripts/local/readiness.ts'
import type { VideoKind } from '../world/video-site/catalogue.ts'
import { systemForFile } from './support/shared-system.ts'
import { emptyLibrary, filesOf } from './support/system.ts'
import { countOf, enter, type Viewer } from './support/wishes.ts'

const tries = 2
const system = systemForFile({
  // Otherwise it would be minutes until Plex is asked again.
  RETRY_BASE_MS: '50',
  BREAKER_OPEN_SECONDS: '2',
  DOWNLOAD_TRIES: String(tries),
})
let frank: Viewer

beforeAll(async () => {
  frank = await enter(system(), system().demo.friends[0])
})

afterEach(async () => {
  system().world.plex.clearFaults()
  system().downloader.start()
  await emptyLibrary(system())
})

afterAll(() => frank.listener.close())

const film = (name: string): string => `${system().world.videoSite.url}/watch/quotes?${name}`
const metadata = (url: string) =>
  frank.client.get(`/api/youtube/metadata?url=${encodeURIComponent(url)}`, frank.person)

async function youtubeHealth(): Promise<unknown> {
  const { admin } = system().demo
  return expectStatus(await frank.client.get('/api/youtube/health', admin), 200).body.data
}

test('without a downloader wishes wait and say for what; when it comes, they are fulfilled', async () => {
  const { downloader, baseUrl } = system()
  await downloader.kill('SIGKILL')
  await until(async () => !(await hasDownloader(baseUrl)), 'the downloader still counts as connected')
  const id = await frank.ask(film('patience'))
  expect(await frank.read(id)).toMatchObject({ status: 'queued', waitingFor: 'downloader' })
  const answer = await metadata(film('never-asked'))
  expect(answer).toMatchObject({ status: 503, body: { code: 'downloader-unavailable' } })
  expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0)
  expect(await youtubeHealth()).toMatchObject({ status: 'degraded', downloadersConnected: 0, queued: 1 })

  downloader.start()
  await frank.hear(id, 'youtube:available')
  expect(await youtubeHealth()).toMatchObject({ status: 'healthy', downloadersConnected: 1, queued: 0 })
})

test('while Plex is away a film that has been fetched waits for it', async () => {
  const { plex } = system().world
  plex.fault({ kind: 'reset' })
  const id = await frank.ask(film('homecoming'))
  await frank.hear(id, 'youtube:processing', ({ phase }) => phase === 'scanning')
  plex.forgetSeen()
  await expect.poll(() => plex.seen().length, { timeout: 20_000 }).toBeGreaterThan(0)
  expect(await frank.read(id)).toMatchObject({ status: 'scanning', progress: 100, waitingFor: 'plex' })
  plex.clearFaults()
  await frank.hear(id, 'youtube:available')
  expect(await frank.read(id)).toMatchObject({ status: 'completed', plex: { ratingKey: expect.any(String) } })
  expect(countOf(frank.heard(id), 'youtube:completed')).toBe(1)
})

/** Runs another downloader in the place of the system's own until the test is over. */
async function insteadOfDownloader(changes: Readonly<Record<string, string>>): Promise<void> {
  const { downloader, baseUrl, stateFolder, libraryFolder, secrets, tools, world } = system()
  const ports = { plex: world.plex.port, plexTv: world.plexTv.port, videoSite: world.videoSite.port }
  const env = downloaderEnvironment({
    baseUrl,
    stateFolder,
    libraryFolder,
    demo: true,
    vars: { ...secrets, ...demoVars(ports) },
    environment: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' },
    tools,
  })
  const connected = async (is: boolean): Promise<void> =>
    until(async () => (await hasDownloader(baseUrl)) === is, `connected: ${!is}`)
  await downloader.kill('SIGTERM')
  await connected(false)
  const root = resolve(import.meta.dirname, '../..')
  const other = runDownloader({ root, env: { ...env, ...changes }, onLog: () => undefined })
  onTestFinished(async () => {
    await other.stop()
    await connected(false)
    downloader.start()
    await connected(true)
  })
  other.start()
  await connected(true)
}

async function oldYtDlp(): Promise<string> {
  const file = join(system().stateFolder, 'old-yt-dlp')
  await writeFile(file, '#!/bin/sh\necho 2024.01.01\n')
  await chmod(file, 0o755)
  return file
}

const youtubeVideo = 'https://www.youtube.com/watch?v=dQw4w9WgXcQ'

const lacks: readonly (readonly [
  trouble: string,
  make: () => Promise<Record<string, string>>,
  url: () => string,
  whatWorks: boolean,
])[] = [
  ['ffmpeg-missing', async () => ({ FFMPEG_PATH: '/nowhere/ffmpeg' }), () => film('raw'), true],
  ['ytdlp-missing', async () => ({ YT_DLP_PATH: '/nowhere/yt-dlp' }), () => film('alone'), false],
  ['ytdlp-outdated', async () => ({ YT_DLP_PATH: await oldYtDlp() }), () => youtubeVideo, true],
]

test.each(lacks)(
  '%s: health names it, and wishes fail with what to do about it',
  async (trouble, make, url, available) => {
    await insteadOfDownloader(await make())
    expect(await youtubeHealth()).toMatchObject({
      status: 'unhealthy',
      ytDlpAvailable: available,
      downloaders: [{ troubles: [trouble] }],
    })
    const { body } = expectStatus(await frank.client.get('/api/youtube/health'), 200)
    expect(body.data).toMatchObject({ status: 'unhealthy', ytDlpAvailable: available })
    expect(JSON.stringify(body)).not.toContain('missing')
    const id = await frank.ask(url())
    const { data } = await frank.hear(id, 'youtube:failed')
    expect(data.failure).toMatchObject({
      code: trouble,
      retryable: false,
      advice: expect.stringMatching(/\w/),
    })
    expect(await frank.read(id)).toMatchObject({ status: 'failed', attempt: 1, failure: { code: trouble } })
    expect(await filesOf(system())).toEqual([])
  },
)

const failures: readonly (readonly [kind: VideoKind, code: string, attempts: number])[] = [
  ['truncated', 'truncated', tries],
  // With new addresses, at most twice.
  ['forbidden', 'forbidden', 3],
  ['missing', 'not-found', 1],
  ['corrupt', 'invalid-result', tries],
  ['html', 'invalid-result', tries],
]

test('what cannot be had fails by its name after its tries, and nothing of it gets into the library', async () => {
  const asked = failures.map(async ([kind, ...expected]) => {
    const id = await frank.ask(system().world.videoSite.video(kind).url)
    return [id, ...expected] as const
  })
  for (const [id, code, attempts] of await Promise.all(asked)) {
    const { data } = await frank.hear(id, 'youtube:failed')
    expect(data.failure.code).toBe(code)
    expect(await frank.read(id)).toMatchObject({ status: 'failed', attempt: attempts, failure: { code } })
    const heard = frank.heard(id)
    expect(countOf(heard, 'youtube:retrying')).toBe(attempts - 1)
    expect(countOf(heard, 'youtube:failed')).toBe(1)
    expect(countOf(heard, 'youtube:completed')).toBe(0)
  }
  expect(await filesOf(system())).toEqual([])
})
