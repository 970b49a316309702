import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import type { Job } from '#contract/downloader-link.ts'
import { eventually, processesIn } from './support/launch.ts'
import { jobFor } from './support/scripted-worker.ts'
import { jobsFolder, settingOf, type Setting, type Test } from './support/setting.ts'

const slowly = (setting: Setting): Job => jobFor(`${setting.site.video('direct').url}?rate=500000`)

/** Offers a job and waits until a good part of it is on disk. */
async function underWay({ worker }: Setting, job: Job, bytes = 300_000): Promise<void> {
  worker.say({ type: 'offer', job })
  await worker.hear(
    'progress',
    ({ jobId, progress }) => jobId === job.jobId && (progress.downloadedBytes ?? 0) > bytes,
  )
}

const nothingRuns = (setting: Setting) => async (): Promise<boolean> =>
  (await processesIn(setting.library)).length === 0

test.concurrent('a cancelled job is over within two seconds and leaves neither file nor process', async (test) => {
  const setting = await settingOf(test)
  const { worker } = setting
  setting.launch()
  await worker.hear('hello')
  const job = slowly(setting)
  await underWay(setting, job)
  expect(await processesIn(setting.library)).not.toEqual([])
  const began = performance.now()
  worker.say({ type: 'cancel', jobId: job.jobId, lease: job.lease })
  const { outcome } = await worker.hear('result', ({ jobId }) => jobId === job.jobId)
  expect(outcome).toEqual({ kind: 'cancelled' })
  expect(performance.now() - began).toBeLessThan(2000)
  expect(await readdir(jobsFolder(setting))).toEqual([])
  expect(await setting.files()).toEqual([])
  expect(await processesIn(setting.library)).toEqual([])

  // Of a film of many pieces yt-dlp would fetch those it has begun, which at this rate takes minutes.
  const pieces = jobFor(setting.site.watch('hls', { rate: 10_000 }))
  await underWay(setting, pieces, 1)
  worker.say({ type: 'cancel', jobId: pieces.jobId, lease: pieces.lease })
  // Sooner than a run is ended that others go on with.
  const second = await worker.hear('result', ({ jobId }) => jobId === pieces.jobId, 8000)
  expect(second.outcome).toEqual({ kind: 'cancelled' })
  expect(await readdir(jobsFolder(setting))).toEqual([])
  expect(await setting.files()).toEqual([])
  await eventually(nothingRuns(setting))
})

test.concurrent('a job cancelled while its film is looked at does not wait for that', async (test) => {
  const setting = await settingOf(test)
  const { worker, site } = setting
  const tool = await blockedFfprobe(test)
  setting.launch({ FFPROBE_PATH: tool.file })
  await worker.hear('hello')
  const job = jobFor(site.video('direct').url)
  worker.say({ type: 'offer', job })
  await eventually(async () => (await processesIn(tool.folder)).length > 0, 20_000)
  worker.say({ type: 'cancel', jobId: job.jobId, lease: job.lease })
  const { outcome } = await worker.hear('result', ({ jobId }) => jobId === job.jobId)
  expect(outcome).toEqual({ kind: 'cancelled' })
  expect(await readdir(jobsFolder(setting))).toEqual([])
  expect(await setting.files()).toEqual([])
  await eventually(async () => (await processesIn(tool.folder)).length === 0)
})

/** An ffprobe that never comes to an end of a film. */
async function blockedFfprobe({ onTestFinished }: Test): Promise<{ folder: string; file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-ffprobe-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'ffprobe')
  await mkdir(join(folder, 'work'))
  const script = `#!/bin/sh
case " $* " in
  *" file:"*) cd '${folder}/work' && exec sleep 1000 ;;
  *) exec '${inject('tools').ffprobe}' "$@" ;;
esac
`
  await writeFile(file, script, { mode: 0o755 })
  return { folder, file }
}

test.concurrent('killed in the middle and started again, it goes on where it was', async (test) => {
  const [setting, undisturbed] = await Promise.all([settingOf(test), settingOf(test)])
  const { worker, site } = setting
  const first = setting.launch()
  await worker.hear('hello')
  const job = slowly(setting)
  await underWay(setting, job)
  first.child.kill('SIGKILL')
  await first.ended
  const before = worker.heard.length

  setting.launch()
  const { outcome } = await worker.hear('result', ({ jobId }) => jobId === job.jobId, 40_000)
  const since = worker.heard.slice(before)
  expect(since.find(({ type }) => type === 'hello')).toMatchObject({
    holding: [{ jobId: job.jobId, lease: job.lease }],
  })
  const firstBytes = since.flatMap((said) =>
    said.type === 'progress' && said.progress.downloadedBytes ? [said.progress.downloadedBytes] : [],
  )[0]
  expect(firstBytes).toBeGreaterThan(300_000)

  // The address is written into the file, so the other downloader fetches from the same site.
  undisturbed.launch({ ALLOWED_HOSTS: `127.0.0.1:${site.port}` })
  await undisturbed.worker.hear('hello')
  const same = { ...job, lease: 9 }
  undisturbed.worker.say({ type: 'offer', job: same })
  const reference = await undisturbed.worker.hear('result', undefined, 40_000)
  expect(outcome).toEqual(reference.outcome)
  expect(outcome.kind).toBe('completed')
  expect((await setting.files()).filter((name) => name.endsWith('.mp4'))).toHaveLength(1)
  expect(await readdir(jobsFolder(setting))).toEqual([])
  await eventually(nothingRuns(setting))
})

test.concurrent('a job the Worker has given to another is not taken up after a crash', async (test) => {
  const setting = await settingOf(test)
  const { worker } = setting
  const first = setting.launch()
  await worker.hear('hello')
  const job = slowly(setting)
  await underWay(setting, job)
  first.child.kill('SIGKILL')
  await first.ended
  worker.greet = () => [job.jobId]
  const second = setting.launch()
  await eventually(async () => (await readdir(jobsFolder(setting))).length === 0, 15_000)
  await eventually(nothingRuns(setting))
  second.child.kill('SIGTERM')
  expect(await second.ended).toBe(0)
  expect(worker.heard.some(({ type }) => type === 'result')).toBe(false)
  expect(await setting.files()).toEqual([])
})

test.concurrent('asked to stop, it gives the job back and keeps the part for the next time', async (test) => {
  const setting = await settingOf(test)
  const { worker } = setting
  const first = setting.launch()
  await worker.hear('hello')
  const job = slowly(setting)
  await underWay(setting, job)
  first.child.kill('SIGTERM')
  expect(await first.ended).toBe(0)
  expect(await worker.hear('result')).toMatchObject({ jobId: job.jobId, outcome: { kind: 'returned' } })
  const part = join(jobsFolder(setting), job.jobId, 'partial', 'media.mp4.part')
  expect(await readdir(join(part, '..'))).toContain('media.mp4.part')
  await eventually(nothingRuns(setting))

  setting.launch()
  await eventually(() => worker.connections() === 2, 15_000)
  const again = { ...job, lease: 2 }
  worker.say({ type: 'offer', job: again })
  const { outcome } = await worker.hear('result', ({ lease }) => lease === 2, 40_000)
  expect(outcome.kind).toBe('completed')
})

test.concurrent('results outlive both a lost connection and a killed downloader, unchanged', async (test) => {
  const setting = await settingOf(test)
  const { worker, site } = setting
  worker.acknowledges = false
  const first = setting.launch()
  await worker.hear('hello')
  const job = jobFor(site.video('direct').url)
  worker.say({ type: 'offer', job })
  await worker.hear('result', undefined, 30_000)
  worker.disconnect()
  const results = () => worker.heard.flatMap((said) => (said.type === 'result' ? [said] : []))
  await eventually(() => results().length === 2, 15_000)
  first.child.kill('SIGKILL')
  await first.ended
  worker.acknowledges = true
  const second = setting.launch()
  await eventually(() => results().length === 3, 15_000)
  expect(new Set(results().map((result) => JSON.stringify(result))).size).toBe(1)
  second.child.kill('SIGTERM')
  await second.ended
  const before = worker.heard.length
  setting.launch()
  await eventually(() => worker.heard.length > before, 15_000)
  expect(worker.heard[before]).toMatchObject({ type: 'hello', holding: [] })
})

test.concurrent('a running job is not disturbed by a lost connection', async (test) => {
  const setting = await settingOf(test)
  const { worker } = setting
  setting.launch()
  await worker.hear('hello')
  const job = slowly(setting)
  await underWay(setting, job)
  worker.disconnect()
  const { outcome } = await worker.hear('result', ({ jobId }) => jobId === job.jobId, 40_000)
  expect(outcome.kind).toBe('completed')
  expect(worker.heard.filter(({ type }) => type === 'hello')).toMatchObject([
    { holding: [] },
    { holding: [{ jobId: job.jobId, lease: 1 }] },
  ])
})
