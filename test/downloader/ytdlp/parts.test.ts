import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openParts } from '../../../downloader/ytdlp/parts.ts'
import { eventually, processesIn } from '../support/launch.ts'
import { jobFor } from '../support/scripted-worker.ts'
import { jobsFolder, settingOf } from '../support/setting.ts'

test('only plain parts lose a byte: not those of segmented films, not finished files, not empty ones', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-parts-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const before = {
    'media.f1.mp4.part': 'picture',
    'media.f2.mp4.part': 'segments',
    'media.f2.mp4.ytdl': '{}',
    'media.f2.mp4.part-Frag3.part': 'segment',
    'media.f3.m4a': 'sound',
    'media.f4.m4a.part': '',
  }
  for (const [name, text] of Object.entries(before)) await writeFile(join(folder, name), text)
  await openParts(folder, folder)
  const after = Object.keys(before).map(async (name) => [name, await readFile(join(folder, name), 'utf8')])
  expect(Object.fromEntries(await Promise.all(after))).toEqual({
    ...before,
    'media.f1.mp4.part': 'pictur',
    'media.f2.mp4.part-Frag3.part': 'segmen',
  })
  await openParts(folder, join(folder, 'nowhere'))
})

test('parts are continued only with what they are parts of', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-parts-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const partial = join(folder, 'partial')
  const told = (formats: readonly string[], sizes: Readonly<Record<string, number>> = {}) => ({
    streams: formats.map((format_id) => ({ format_id })),
    exactSizes: new Map(Object.entries(sizes)),
  })
  await mkdir(partial)
  const fits = async (...said: Parameters<typeof told>) =>
    (await openParts(folder, partial)).fit(told(...said))
  expect(await fits([])).toBe(true)
  expect(await fits(['137', '140'], { 137: 5000 })).toBe(true)
  // Nothing has come of it yet, so that anything may.
  expect(await fits(['22'])).toBe(true)

  await writeFile(join(partial, 'media.mp4.part'), 'picture')
  expect(await fits(['22'], { 22: 7000 })).toBe(true)
  expect(await fits(['18'])).toBe(false)
  expect(await fits(['22'], { 22: 7001 })).toBe(false)
  expect(await fits(['22'])).toBe(true)
  expect(await fits(['22'], { 22: 7000 })).toBe(true)
})

test('killed when all was fetched and nothing renamed yet, it asks for next to nothing and succeeds', async (test) => {
  const setting = await settingOf(test)
  const { worker, site } = setting
  const first = setting.launch()
  await worker.hear('hello')
  const job = jobFor(`${site.url}/watch/rate=300000/slow`)
  worker.say({ type: 'offer', job })
  await worker.hear('progress', ({ progress }) => (progress.downloadedBytes ?? 0) > 0)
  first.child.kill('SIGKILL')
  await first.ended
  await eventually(async () => (await processesIn(setting.library)).length === 0, 10_000)
  const media = site.seen().findLast(({ path }) => path.endsWith('.mp4'))?.path
  const whole = await fetch(`${site.url}${media}?rate=100000000`)
  const partial = join(jobsFolder(setting), job.jobId, 'partial')
  await mkdir(partial, { recursive: true })
  await writeFile(join(partial, 'media.mp4.part'), Buffer.from(await whole.arrayBuffer()))
  site.forgetSeen()

  setting.launch()
  const { outcome } = await worker.hear('result', undefined, 30_000)
  expect(outcome.kind).toBe('completed')
  const ranges = site.seen().flatMap(({ path, range }) => (path === media ? [range] : []))
  expect(ranges).toEqual([`bytes=${site.video('slow').bytes - 1}-`])
})

test('a part that is longer than the film is given up, so that the next attempt begins anew', async (test) => {
  const setting = await settingOf(test)
  const { worker, site } = setting
  const job = jobFor(site.video('flaky').url)
  const partial = join(jobsFolder(setting), job.jobId, 'partial')
  await mkdir(partial, { recursive: true })
  await writeFile(join(partial, 'media.mp4.part'), Buffer.alloc(site.video('flaky').bytes + 1_000))
  setting.launch()
  await worker.hear('hello')
  worker.say({ type: 'offer', job })
  const { outcome } = await worker.hear('result', undefined, 30_000)
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'invalid-result', retryable: true } })
  worker.say({ type: 'offer', job: { ...job, lease: 2, attempt: 2 } })
  const again = await worker.hear('result', ({ lease }) => lease === 2, 30_000)
  expect(again.outcome.kind).toBe('completed')
})
