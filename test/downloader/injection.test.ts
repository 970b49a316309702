import { randomUUID } from 'node:crypto'
import { readdir, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Job } from '#contract/downloader-link.ts'
import { eventually, processesIn } from './support/launch.ts'
import { jobFor } from './support/scripted-worker.ts'
import { jobsFolder, openSetting, type Setting } from './support/setting.ts'
import { youTubeOf, type YouTubeSetting } from './support/youtube.ts'

/** Whatever makes or finds a file does so under this name. */
const mark = `pwned${randomUUID().slice(0, 8)}`
const canary = join(tmpdir(), mark)

const payloads: readonly string[] = [
  `--exec=touch ${canary}`,
  `--exec before_dl:touch ${canary}`,
  `-o ../../../${mark}`,
  `-P home:${tmpdir()} -o ${mark}`,
  `$(touch ${canary})`,
  `\`touch ${canary}\``,
  `'; touch ${canary}; '`,
  `" & touch ${canary} & "`,
  `a\n--exec\ntouch ${canary}`,
  `../../../../${mark}`,
  `..\\..\\${mark}`,
  `/${canary}`,
  `%(title)s/../${mark}`,
  `%(exec:touch ${canary})s`,
  `\${HOME}/${mark}`,
  `~/${mark}`,
  `\u202e4pm.${mark}\u202c`,
  `${mark}\u0000.mp4`,
  `${mark}\u0007\u001b[2J\r`,
  `CON ${mark}`,
  `file:///${canary}`,
  `#__youtubedl_smuggle=%7B%22force%22%3A%22${mark}%22%7D`,
  `${mark}${'x'.repeat(100_000)}`,
]

let setting: Setting
let youTube: YouTubeSetting
const closing: (() => unknown)[] = []

beforeAll(async () => {
  setting = await openSetting()
  youTube = await youTubeOf({ onTestFinished: (close) => closing.push(() => close({} as never)) }, setting)
  setting.launch({ YT_DLP_PATH: youTube.seen.ytDlp, SLOTS: '32' })
  await setting.worker.hear('hello')
})
afterAll(async () => {
  for (const close of closing) await close()
  await setting.close()
})

/** Says something that no Worker of ours would say. */
const say = (message: object): void => setting.worker.say(Object.assign(JSON.parse('{}'), message))

async function outcomeOf(job: Job) {
  say({ type: 'offer', job })
  const { outcome } = await setting.worker.hear('result', ({ jobId }) => jobId === job.jobId, 50_000)
  return outcome
}

/** Nothing was run, and nothing was written but in the library. */
async function expectNoHarm(): Promise<void> {
  await expect(stat(canary)).rejects.toThrow('ENOENT')
  for (const folder of [tmpdir(), process.cwd(), join(setting.library, '..'), setting.library])
    expect((await readdir(folder)).filter((name) => name.includes(mark))).toEqual([])
  const working = join(setting.library, '.medianest')
  const left = await readdir(working, { recursive: true })
  expect(left.filter((name) => name.includes(mark))).toEqual([])
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
  const { worker, library } = setting
  const titles = [...payloads.slice(9, 19), payloads.at(-1)?.slice(0, 5000) ?? '']
  const published = titles.map(async (payload, n) => {
    const id = `hostile_${String(n).padStart(3, '0')}`
    const url = await youTube.publish({
      id,
      title: payload,
      channel: payloads[n] ?? payload,
      description: payload,
      chapters: [{ title: payload, start: 0, end: 5 }],
      info: { uploader: payload, uploader_id: payload, thumbnail: payload, tags: [payload] },
    })
    return jobFor(url, { videoId: id, quality: '360p', format: n % 2 === 0 ? 'mp4' : 'm4a' })
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
      const placed = await stat(join(library, ...parts.slice(3)))
      expect(placed.size).toBe(outcome.file.bytes)
    }),
  )
  expect(worker.unreadable).toEqual([])
  expect(await readdir(jobsFolder(setting))).toEqual([])
  const folders = (await setting.files()).map((file) => file.split('/').length)
  expect(new Set(folders)).toEqual(new Set([2, 3]))
  await expect(stat(canary)).rejects.toThrow('ENOENT')
})
