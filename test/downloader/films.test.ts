import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { Phase } from '#contract/downloads.ts'
import { type Format, type Quality } from '#contract/options.ts'
import { inspect } from '../../downloader/ytdlp/ffprobe.ts'
import { minimalEnvironment } from '../../downloader/versions.ts'
import type { VideoKind } from '../world/video-site/catalogue.ts'
import { jobFor } from './support/scripted-worker.ts'
import { openSetting, type Setting } from './support/setting.ts'

let setting: Setting

beforeAll(async () => {
  setting = await openSetting()
  setting.launch({ SLOTS: '16' })
  await setting.worker.hear('hello')
})
afterAll(() => setting.close())

async function fetchFilm(url: string, format: Format, quality: Quality = '1080p') {
  const { worker, library } = setting
  const job = jobFor(url, { format, quality, videoId: `${jobFor(url).videoId}-${format}-${quality}` })
  worker.say({ type: 'offer', job })
  const { outcome } = await worker.hear('result', ({ jobId }) => jobId === job.jobId, 50_000)
  if (outcome.kind !== 'completed') throw new Error(JSON.stringify(outcome))
  const path = outcome.plexPath.replace('/plex/videos', library)
  const found = await inspect(path, inject('tools').ffprobe, minimalEnvironment(process.env))
  return { job, path, outcome, streams: found?.streams ?? [], format: found?.format }
}

const address = (kind: VideoKind): string => setting.site.video(kind).url

test.concurrent.each([
  ['direct', 'mp4', 'h264', 'aac'],
  ['hls', 'mp4', 'h264', 'aac'],
  ['dash', 'mp4', 'h264', 'aac'],
  ['hls', 'mkv', 'h264', 'aac'],
  ['direct', 'webm', 'vp9', 'opus'],
  ['flaky', 'mp4', 'h264', 'aac'],
] as const)('a %s film arrives as %s', async (kind, format, videoCodec, audioCodec) => {
  const { path, outcome, streams } = await fetchFilm(address(kind), format)
  const bytes = await readFile(path)
  expect(outcome.file).toMatchObject({
    bytes: bytes.length,
    sha256: createHash('sha256').update(bytes).digest('hex'),
    videoCodec,
    audioCodec,
  })
  expect(path.endsWith(`.${format}`)).toBe(true)
  expect(outcome.selection).toMatchObject({
    wanted: { quality: '1080p', format },
    taken: { videoCodec, audioCodec, container: format, bytes: bytes.length },
    directPlay: format === 'mp4',
  })
  expect(outcome.warnings?.some(({ code }) => code === 'converted')).toBe(
    kind === 'direct' && format === 'webm',
  )
  expect(streams.map(({ codec_name }) => codec_name).sort()).toEqual([videoCodec, audioCodec].sort())
})

test.concurrent.each([
  ['dash', 'm4a', 'aac', 'mov,mp4,m4a,3gp,3g2,mj2'],
  ['direct', 'mp3', 'mp3', 'mp3'],
  ['audio', 'opus', 'opus', 'ogg'],
] as const)('of a %s film only the sound arrives as %s', async (kind, format, codec, container) => {
  const found = await fetchFilm(address(kind), format)
  expect(found.streams.map(({ codec_name }) => codec_name)).toEqual([codec])
  expect(found.format?.format_name).toBe(container)
  expect(found.outcome.file).not.toHaveProperty('heightPixels')
  expect(found.outcome.selection?.reason).toBe('sound')
})

test.concurrent.each([
  ['720p', 720, 'exact', []],
  ['480p', 360, 'nearest-lower', ['lower-than-wanted']],
  ['2160p', 1080, 'nearest-lower', ['lower-than-wanted']],
  ['best', 1080, 'best', []],
] as const)(
  'asked for %s, a site with 360, 720 and 1080 lines gives %i (%s)',
  async (quality, height, reason, warned) => {
    const { outcome } = await fetchFilm(address('dash'), 'mp4', quality)
    expect(outcome.file.heightPixels).toBe(height)
    expect(outcome.selection).toMatchObject({ reason, best: { heightPixels: 1080 } })
    expect(outcome.warnings?.map(({ code }) => code)).toEqual(warned)
  },
)

test.concurrent('with the film come its picture, its description and its show', async () => {
  const { path } = await fetchFilm(`${address('direct')}?x=1`, 'mp4', '360p')
  const stem = path.replace(/\.mp4$/, '')
  expect(path).toContain('/Test Pictures ⧸ Ltd/Season 2026/')
  expect(await readFile(`${stem}.nfo`, 'utf8')).toContain('<title>A lighthouse at dusk</title>')
  expect((await readFile(`${stem}-thumb.jpg`)).subarray(0, 3).toString('hex')).toBe('ffd8ff')
  expect((await stat(join(path, '../../tvshow.nfo'))).size).toBeGreaterThan(0)
})

test.concurrent('progress tells phases in order, never back, at most four times a second', async () => {
  const began = performance.now()
  const { job } = await fetchFilm(`${address('direct')}?rate=700000`, 'mp4')
  const seconds = (performance.now() - began) / 1000
  const of = (type: 'progress' | 'started' | 'accepted') =>
    setting.worker.heard.filter((said) => said.type === type && 'jobId' in said && said.jobId === job.jobId)
  const told = of('progress').flatMap((said) => (said.type === 'progress' ? [said.progress] : []))
  expect(told.length).toBeGreaterThan(4)
  expect(told.length).toBeLessThanOrEqual(seconds * 4 + 1)
  const percents = told.map(({ percent }) => percent)
  expect(percents).toEqual([...percents].sort((a, b) => a - b))
  const phases = told.map(({ phase }) => Phase.options.indexOf(phase))
  expect(phases).toEqual([...phases].sort())
  expect(told.some(({ bytesPerSecond, etaSeconds }) => bytesPerSecond && etaSeconds !== undefined)).toBe(true)
  expect(of('accepted')).toHaveLength(1)
  expect(of('started')).toMatchObject([{ metadata: { title: 'A lighthouse at dusk', durationSeconds: 8 } }])
})

test.concurrent('a question about a video is answered, and nothing is fetched', async () => {
  const { worker, site } = setting
  const requestId = crypto.randomUUID()
  worker.say({ type: 'ask', requestId, question: { kind: 'metadata', url: address('dash') } })
  const { answer } = await worker.hear('answer', (said) => said.requestId === requestId)
  expect(answer).toMatchObject({
    kind: 'metadata',
    metadata: { availableHeights: [1080, 720, 360], availableQualities: ['best', '1080p', '720p', '360p'] },
  })
  const missing = crypto.randomUUID()
  worker.say({
    type: 'ask',
    requestId: missing,
    question: { kind: 'metadata', url: `${site.url}/watch/no-such-film` },
  })
  expect((await worker.hear('answer', (said) => said.requestId === missing)).answer).toMatchObject({
    kind: 'failed',
    failure: { code: 'not-found' },
  })
})

test('a job placed before is recognised when it is offered again', async () => {
  const { job, outcome } = await fetchFilm(`${address('direct')}?again=1`, 'mp4')
  const requests = setting.site.seen().length
  setting.worker.say({ type: 'offer', job: { ...job, lease: 2 } })
  const again = await setting.worker.hear('result', ({ jobId, lease }) => jobId === job.jobId && lease === 2)
  expect(again.outcome).toEqual(outcome)
  expect(setting.site.seen()).toHaveLength(requests)
})
