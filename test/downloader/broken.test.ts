import { readdir } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { jobFor } from './support/scripted-worker.ts'
import { jobsFolder, openSetting, type Setting } from './support/setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await openSetting()
  // Longer than yt-dlp goes on trying when nothing comes.
  setting.launch({ STALL_SECONDS: '13', SLOTS: '16', MAX_BYTES: '5000000' })
  await setting.worker.hear('hello')
})
afterAll(() => setting.close())

async function failureOf(url: string) {
  const { worker } = setting
  const job = jobFor(url)
  worker.say({ type: 'offer', job })
  const { outcome } = await worker.hear('result', ({ jobId }) => jobId === job.jobId, 50_000)
  return { job, failure: outcome.kind === 'failed' ? outcome.failure : outcome }
}

test.concurrent.each([
  ['forbidden', 'forbidden', true],
  ['missing', 'not-found', false],
  ['broken-server', 'server-error', true],
  ['truncated', 'truncated', true],
  ['stalling', 'stalled', true],
  ['too-large', 'too-large', false],
  ['endless', 'too-large', false],
  ['corrupt', 'invalid-result', true],
  ['html', 'invalid-result', true],
] as const)('a %s film fails as %s', async (kind, code, retryable) => {
  const { failure } = await failureOf(setting.site.video(kind).url)
  expect(failure).toMatchObject({ code, retryable })
})

test.concurrent.each([
  ['http://127.0.0.1:1/watch/a', 'refused-address'],
  ['http://192.168.1.1/', 'refused-address'],
  ['https://vimeo.com/1234', 'unsupported-url'],
])('%s is refused before anything is started', async (url, code) => {
  const { failure } = await failureOf(url)
  expect(failure).toMatchObject({ code, retryable: false })
})

test('what failed has left nothing in the library, and only what can be continued beside it', async () => {
  const { job } = await failureOf(setting.site.video('corrupt').url)
  expect(await setting.files()).toEqual([])
  expect(await readdir(jobsFolder(setting))).not.toContain(job.jobId)
})

test('a film that stalled was said to stall before it was given up', () => {
  const { heard } = setting.worker
  const stalled = heard.find(
    (said) =>
      said.type === 'result' && said.outcome.kind === 'failed' && said.outcome.failure.code === 'stalled',
  )
  const told = heard.flatMap((said) =>
    said.type === 'progress' && stalled?.type === 'result' && said.jobId === stalled.jobId
      ? [said.progress]
      : [],
  )
  const first = told.find(({ stalledSeconds }) => stalledSeconds !== undefined)
  expect(first).toMatchObject({ phase: 'downloading', downloadedBytes: expect.any(Number) })
  expect(first?.stalledSeconds).toBeGreaterThanOrEqual(10)
  expect(first).not.toHaveProperty('bytesPerSecond')
})

test('nothing of the site or of the disk is in what was said', () => {
  const said = JSON.stringify(setting.worker.heard.filter(({ type }) => type === 'result'))
  expect(said).not.toMatch(/127\.0\.0\.1|https?:|\/tmp|\.mp4/)
  expect(setting.worker.unreadable).toEqual([])
})
