import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type { Job } from '#contract/downloader-link.ts'
import { youTubeFormats } from '../world/youtube/formats.ts'
import { canary, hostileFilms, mark, payloads } from './support/hostile.ts'
import { eventually, processesIn } from './support/launch.ts'
import { jobFor } from './support/scripted-worker.ts'
import { jobsFolder, openSetting, type Setting } from './support/setting.ts'
import { youTubeOf, type YouTubeSetting } from './support/youtube.ts'

let setting: Setting
let youTube: YouTubeSetting
/** Where nothing is but the library and what the test has laid beside it. */
let yard: string
let besideLibrary: readonly string[]
const closing: (() => unknown)[] = []
/** What the Worker was told to lie in the library. */
const placed: string[] = []

beforeAll(async () => {
  yard = await mkdtemp(join(tmpdir(), 'medianest-yard-'))
  vi.stubEnv('TMPDIR', yard)
  setting = await openSetting()
  youTube = await youTubeOf({ onTestFinished: (close) => closing.push(() => close({} as never)) }, setting)
  besideLibrary = await readdir(yard)
  setting.launch({ YT_DLP_PATH: youTube.seen.ytDlp, SLOTS: '32' })
  await setting.worker.hear('hello')
})
afterAll(async () => {
  for (const close of closing) await close()
  await setting.close()
  vi.unstubAllEnvs()
  await rm(yard, { recursive: true, force: true })
})

/** Says something that no Worker of ours would say. */
const say = (message: object): void => setting.worker.say(Object.assign(JSON.parse('{}'), message))

async function outcomeOf(job: Job) {
  say({ type: 'offer', job })
  const { outcome } = await setting.worker.hear('result', ({ jobId }) => jobId === job.jobId, 50_000)
  if (outcome.kind === 'completed') placed.push(relative('/plex/videos', outcome.plexPath))
  return outcome
}

async function answerTo(question: object) {
  const requestId = randomUUID()
  say({ type: 'ask', requestId, question })
  const { answer } = await setting.worker.hear('answer', (said) => said.requestId === requestId)
  return answer
}

/** The film, its folders, and what goes with it. */
function isOf(film: string, path: string): boolean {
  const stem = film.replace(/\.\w+$/, '')
  return (
    film === path ||
    film.startsWith(`${path}/`) ||
    path === join(film, '../../tvshow.nfo') ||
    (path.startsWith(stem) && /^(?:\.nfo|-thumb\.jpg|\.(?:en|en-GB|de)\.srt)$/.test(path.slice(stem.length)))
  )
}

/** Nothing was run, and nothing was written but what was placed. */
async function expectNoHarm(): Promise<void> {
  await expect(stat(canary)).rejects.toThrow('ENOENT')
  const { library } = setting
  const working = join(library, '.medianest')
  for (const folder of ['/', dirname(canary), homedir(), process.cwd()])
    expect((await readdir(folder)).filter((name) => name.includes(mark))).toEqual([])
  expect((await readdir(yard)).toSorted()).toEqual(besideLibrary.toSorted())
  const left = await readdir(working, { recursive: true })
  expect(left.filter((name) => name.includes(mark))).toEqual([])
  expect(await readdir(jobsFolder(setting))).toEqual([])
  const found = (await readdir(library, { recursive: true })).filter(
    (path) => !/^\.medianest(?:\/|$)/.test(path),
  )
  expect(found.filter((path) => !placed.some((film) => isOf(film, path)))).toEqual([])
}

test('addresses are addresses, and nothing else', async () => {
  const { worker, site } = setting
  const allowed = site.video('missing').url
  const addresses = [
    ...payloads,
    ...payloads.map((payload) => `https://www.youtube.com/watch?v=${payload}`),
    ...payloads.slice(0, -1).map((payload) => `https://www.youtube.com/watch?v=dQw4w9WgXc${payload}`),
  ]
  // These are taken, and reach the real program.
  const taken = [
    `${allowed}?${new URLSearchParams({ x: payloads.slice(0, -1).join(' ') })}`,
    `${allowed}/${encodeURIComponent(`$(touch ${canary})`)}`,
    `${allowed}/%(title)s;touch%20${canary}`,
    `${allowed}#__youtubedl_smuggle=%7B%22http_headers%22%3A%7B%7D%7D`,
    `${allowed}?--exec=touch+${canary}`,
  ]
  for (const url of addresses) {
    say({ type: 'offer', job: { ...jobFor(allowed), url } })
    for (const kind of ['metadata', 'playlist'])
      say({ type: 'ask', requestId: randomUUID(), question: { kind, url, limit: 1 } })
    // Frames are heard in their order, and this one ends at once.
    await outcomeOf(jobFor('http://10.0.0.1/'))
  }
  await Promise.all(taken.map((url) => outcomeOf({ ...jobFor(allowed), url, videoId: 'x' })))
  await eventually(async () => (await processesIn(setting.library)).length === 0)
  const results = worker.heard.flatMap((said) => (said.type === 'result' ? [said.outcome] : []))
  expect(results.filter(({ kind }) => kind !== 'failed')).toEqual([])
  await expectNoHarm()
})

test('what is not as agreed is not heard', async () => {
  const { worker, site } = setting
  const good = jobFor(site.video('missing').url)
  const wrong: object[] = payloads.flatMap((payload) => [
    { jobId: payload },
    { lease: payload },
    { quality: payload },
    { format: payload },
    { extras: { ...good.extras, subtitles: { languages: [payload], delivery: 'embed', automatic: false } } },
    { extras: { ...good.extras, sponsorBlock: { action: 'mark', categories: [payload] } } },
    { extras: { ...good.extras, exec: payload } },
  ])
  for (const lease of [0, -1, 1.5, Number.POSITIVE_INFINITY, '1', null]) wrong.push({ lease })
  for (const language of ['all', 'en.*', 'en,de', '.*', '-live_chat', 'en\n'])
    wrong.push({ extras: { ...good.extras, subtitles: { languages: [language] } } })
  const offers = wrong.map((change) => ({ ...good, jobId: randomUUID(), ...change }))
  for (const job of offers) say({ type: 'offer', job })
  for (const payload of payloads) {
    say({ type: 'cancel', jobId: `../${payload}`, lease: 1 })
    say({ type: 'acknowledged', jobId: payload, lease: 1 })
    say({ type: 'welcome', drop: [`../../${payload}`, '..'] })
    say({ type: payload })
  }
  expect(await outcomeOf(good)).toMatchObject({ failure: { code: 'not-found' } })
  const unheard = new Set<string>(offers.map(({ jobId }) => jobId))
  expect(worker.heard.filter((said) => 'jobId' in said && unheard.has(said.jobId))).toEqual([])
  expect(await readdir(jobsFolder(setting))).toEqual([])
  await expectNoHarm()
})

test('no path leads to anything but what was placed', async () => {
  const { worker, files } = setting
  const before = await files()
  const ids = payloads.map((payload) => {
    const jobId = randomUUID()
    const file = { name: payload, bytes: 1, sha256: 'a'.repeat(64) }
    say({ type: 'remove', jobId, plexPath: `/plex/videos/Channel/Season 2025/${payload}`, file })
    say({ type: 'remove', jobId: randomUUID(), plexPath: payload, file })
    return jobId
  })
  for (const jobId of ids)
    expect(await worker.hear('removed', (said) => said.jobId === jobId)).toMatchObject({ outcome: 'refused' })
  expect(await files()).toEqual(before)
  await expectNoHarm()
})

test('names that a site gives stay names', async () => {
  const { worker, library, site } = setting
  // One file, as it is to be: it costs least.
  const formats = youTubeFormats(site).filter(({ format_id }) => format_id === '18')
  const published = payloads.map(async (payload, n) => {
    const id = `hostile_${String(n).padStart(3, '0')}`
    const url = await youTube.publish({
      id,
      title: payload,
      channel: payloads.at(n - 1) ?? payload,
      description: payload,
      formats,
      chapters: [{ title: payload, start: 0, end: 5 }],
      info: { uploader: payload, uploader_id: payload, thumbnail: payload, tags: [payload] },
    })
    const extras = { chapters: true, thumbnail: n % 6 === 0 }
    return jobFor(url, { videoId: id, quality: '360p', format: n % 6 === 1 ? 'm4a' : 'mp4', extras })
  })
  const jobs = await Promise.all(published)
  // The id is the Worker's word, and stands in the name as well.
  const named = jobs
    .slice(0, 3)
    .map((job, n) => ({ ...job, videoId: `../${payloads[n] ?? ''}`.slice(0, 64) }))
  await Promise.all(
    [...named, ...jobs.slice(3)].map(async (job) => {
      const outcome = await outcomeOf(job)
      if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome))
      const parts = outcome.plexPath.split('/')
      expect(parts.slice(0, 3)).toEqual(['', 'plex', 'videos'])
      expect(parts).toHaveLength(6)
      expect(parts.every((part, index) => index === 0 || !/^\.|\p{Cc}|\p{Cf}|\\/u.test(part))).toBe(true)
      const file = await stat(join(library, ...parts.slice(3)))
      expect(file.size).toBe(outcome.file.bytes)
    }),
  )
  expect(worker.unreadable).toEqual([])
  const folders = (await setting.files()).map((file) => file.split('/').length)
  expect(new Set(folders)).toEqual(new Set([2, 3]))
  await expectNoHarm()
})

test('what a site says of subtitles, formats, ids and days makes no path', async () => {
  const { worker, site } = setting
  await Promise.all(
    hostileFilms(site).map(async ({ film, delivery, ends }) => {
      const subtitles = { languages: ['en', 'de'], delivery, automatic: false }
      const extras = { chapters: false, thumbnail: false, subtitles }
      const job = jobFor(await youTube.publish(film), { videoId: film.id, quality: '360p', extras })
      expect(await outcomeOf(job), film.id).toMatchObject(ends)
    }),
  )
  expect(worker.unreadable).toEqual([])
  await expectNoHarm()
})

test('what a site lists is text', async () => {
  const { worker } = setting
  const url = await youTube.publishPlaylist({
    id: 'PLhostile',
    title: payloads[8] ?? '',
    channel: payloads[9] ?? '',
    videos: payloads.map((payload) => ({ id: payload, title: payload, channel: payload })),
  })
  const answer = await answerTo({ kind: 'playlist', url, limit: 50 })
  const addresses = payloads.map((payload) => `https://www.youtube.com/watch?v=${payload}`)
  expect(answer).toMatchObject({
    kind: 'playlist',
    playlist: {
      title: payloads[8],
      // What is longer is no address.
      videos: payloads.slice(0, -1).map((title, n) => ({ url: addresses[n], title: title.trim() })),
    },
  })
  const [hostile] = hostileFilms(setting.site)
  const video = await youTube.publish({ ...hostile?.film, id: 'listed-----', title: payloads.at(-1) ?? '' })
  expect(await answerTo({ kind: 'metadata', url: video })).toMatchObject({
    kind: 'metadata',
    metadata: { id: payloads[8], title: payloads.at(-1)?.slice(0, 500), channel: payloads[9] },
  })
  expect(worker.unreadable).toEqual([])
  await expectNoHarm()
})
