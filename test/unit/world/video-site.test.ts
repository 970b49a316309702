import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { assert, integer, property } from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import { parseRange } from '../../world/video-site/send-media.ts'
import { startVideoSite, type VideoSite } from '../../world/video-site/video-site.ts'

const execute = promisify(execFile)
const project = join(import.meta.dirname, '../../..')
const folder = join(project, 'node_modules/.cache/video-site')

const Tools = z.object({ ytDlp: z.string(), ffmpeg: z.string(), ffprobe: z.string() })
const Probe = z.object({
  streams: z.array(z.object({ codec_type: z.string(), height: z.int().optional() })),
  format: z.object({ duration: z.coerce.number() }),
})

let tools: z.output<typeof Tools>
let site: VideoSite
let workspace: string

beforeAll(async () => {
  const found = await execute(process.execPath, ['scripts/ensure-tools.ts'], { cwd: project })
  tools = Tools.parse(JSON.parse(found.stdout))
  workspace = await mkdtemp(join(tmpdir(), 'video-site-'))
  site = await startVideoSite({ folder, ffmpeg: tools.ffmpeg })
}, 300_000)

afterAll(async () => {
  await site.close()
  await rm(workspace, { recursive: true, force: true })
})

async function ytDlp(...args: string[]): Promise<string> {
  const quiet = ['--ignore-config', '--no-update', '--no-warnings', '--quiet']
  const ran = await execute(tools.ytDlp, [...quiet, ...args], { maxBuffer: 16 * 1024 * 1024 })
  return ran.stdout
}

async function downloaded(url: string): Promise<string> {
  const target = await mkdtemp(join(workspace, 'download-'))
  await ytDlp(
    '--ffmpeg-location',
    tools.ffmpeg,
    '--retries',
    '8',
    '-o',
    join(target, 'film.%(ext)s'),
    '--',
    url,
  )
  const [file, ...others] = await readdir(target)
  expect(others).toEqual([])
  return join(target, file ?? '')
}

async function ffprobe(file: string): Promise<z.output<typeof Probe>> {
  const args = ['-v', 'error', '-show_streams', '-show_format', '-of', 'json', file]
  return Probe.parse(JSON.parse((await execute(tools.ffprobe, args)).stdout))
}

async function sha256(file: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(file))
    .digest('hex')
}

for (const [kind, height] of [
  ['direct', 720],
  ['heights', 1080],
  ['hls', 1080],
  ['dash', 1080],
] as const) {
  test(`yt-dlp downloads the ${kind} film whole, with picture and sound`, { timeout: 60_000 }, async () => {
    const video = site.video(kind)
    const { streams, format } = await ffprobe(await downloaded(video.url))
    expect(streams.map((stream) => stream.codec_type).sort()).toEqual(['audio', 'video'])
    expect(streams.find((stream) => stream.codec_type === 'video')?.height).toBe(height)
    expect(Math.abs(format.duration - video.seconds)).toBeLessThan(0.2)
  })
}

test('a smaller height can be asked of every laddered film', { timeout: 60_000 }, async () => {
  const urls = (['heights', 'hls', 'dash'] as const).map((kind) => site.video(kind).url)
  const format = 'bv*[height<=720]+ba/b[height<=720]'
  const heights = await ytDlp('--skip-download', '-f', format, '--print', '%(height)s', '--', ...urls)
  expect(heights.trim().split('\n')).toEqual(['720', '720', '720'])
})

test(
  'yt-dlp reads title, id, channel, length, date and thumbnail off the pages, however hostile',
  { timeout: 60_000 },
  async () => {
    const videos = site.videos.filter(({ kind }) => kind === 'direct' || kind === 'hls' || kind === 'slow')
    const fields = '%(.{id,title,uploader,channel,duration,upload_date,thumbnail})j'
    const lines = await ytDlp('--skip-download', '--print', fields, '--', ...videos.map(({ url }) => url))
    const seen = lines
      .trim()
      .split('\n')
      .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)))
    expect(seen.map(({ id, title, duration }) => ({ id, title, duration }))).toEqual(
      videos.map(({ id, title, seconds }) => ({ id, title, duration: seconds })),
    )
    expect(seen.map((info) => info['uploader'] ?? info['channel'])).toEqual(
      videos.map(({ channel }) => channel),
    )
    expect(new Set(seen.map((info) => info['upload_date']))).toEqual(new Set(['20260314']))
    for (const info of seen) {
      const thumbnail = await fetch(z.string().parse(info['thumbnail']))
      const start = new Uint8Array(await thumbnail.arrayBuffer()).subarray(0, 2)
      expect([thumbnail.headers.get('content-type'), ...start]).toEqual(['image/jpeg', 0xff, 0xd8])
    }
  },
)

test(
  'a download over a dropping line resumes and ends byte for byte the same',
  { timeout: 60_000 },
  async () => {
    site.forgetSeen()
    const video = site.video('flaky')
    const file = await downloaded(video.url)
    expect((await stat(file)).size).toBe(video.bytes)
    const whole = Buffer.from(await (await fetch(`${site.url}/media/clips/fault.mp4`)).arrayBuffer())
    expect(await sha256(file)).toBe(createHash('sha256').update(whole).digest('hex'))
    expect(site.seen().filter(({ path }) => path.startsWith('/media/drop=')).length).toBeGreaterThan(2)
  },
)

test('any two ranges that meet make up the file', async () => {
  const url = `${site.url}/media/clips/fault.mp4`
  const whole = Buffer.from(await (await fetch(url)).arrayBuffer())
  const part = async (range: string): Promise<Buffer> => {
    const answer = await fetch(url, { headers: { range } })
    expect(answer.status).toBe(206)
    return Buffer.from(await answer.arrayBuffer())
  }
  const middle = 123_457
  const joined = Buffer.concat([await part(`bytes=0-${middle - 1}`), await part(`bytes=${middle}-`)])
  expect(joined.equals(whole)).toBe(true)
  expect((await part('bytes=-10')).equals(whole.subarray(-10))).toBe(true)
  const beyond = await fetch(url, { headers: { range: `bytes=${whole.length}-` } })
  expect([beyond.status, beyond.headers.get('content-range')]).toEqual([416, `bytes */${whole.length}`])
})

test('a range never reaches outside the file and is never empty', () => {
  const size = integer({ min: 1, max: 1000 })
  const place = integer({ min: 0, max: 1200 })
  const inside = property(size, place, place, (length, from, to) => {
    for (const header of [`bytes=${from}-${to}`, `bytes=${from}-`, `bytes=-${to}`]) {
      const span = parseRange(header, length)
      if (span) expect(0 <= span.start && span.start < span.end && span.end <= length).toBe(true)
    }
  })
  assert(inside)
})

test('a rate holds the bytes back', async () => {
  const started = performance.now()
  const answer = await fetch(`${site.url}/media/thumbnails/fault.jpg?rate=50000`)
  const { length } = Buffer.from(await answer.arrayBuffer())
  expect(length).toBeGreaterThan(5_000)
  expect(performance.now() - started).toBeGreaterThan((length / 50_000) * 1000 * 0.8)
})

test('a rate in the path is inherited by the segments of a manifest', async () => {
  const page = await (await fetch(`${site.url}/watch/rate=90000/hls`)).text()
  expect(page).toContain(`${site.url}/media/rate=90000/ladder/hls/master.m3u8`)
})

const mediaOf = async (kind: Parameters<VideoSite['video']>[0]): Promise<string> => {
  const page = await (await fetch(site.video(kind).url)).text()
  return /"file":"([^"]+)"/.exec(page)?.[1] ?? ''
}

test('every fault fails in its own way', async () => {
  const statuses = []
  for (const kind of ['forbidden', 'missing', 'rate-limited', 'broken-server'] as const) {
    statuses.push((await fetch(await mediaOf(kind))).status)
  }
  expect(statuses).toEqual([403, 404, 429, 500])

  const truncated = await fetch(await mediaOf('truncated'))
  expect(Number(truncated.headers.get('content-length'))).toBe(site.video('truncated').bytes)
  await expect(truncated.arrayBuffer()).rejects.toThrow()

  const tooLarge = await fetch(await mediaOf('too-large'))
  expect(tooLarge.headers.get('content-length')).toBe('50000000000')
  await tooLarge.body?.cancel()

  const html = await fetch(await mediaOf('html'))
  expect([html.status, html.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
})

test('a stalling film goes silent and keeps the connection', async () => {
  const patience = new AbortController()
  const answer = await fetch(await mediaOf('stalling'), { signal: patience.signal })
  let received = 0
  const reading = (async () => {
    for await (const chunk of answer.body ?? []) {
      received += chunk.length
      if (received === 50_000) setTimeout(() => patience.abort(), 100)
    }
  })()
  await expect(reading).rejects.toThrow('abort')
  expect(received).toBe(50_000)
})

test('an endless film goes on beyond its size', async () => {
  const answer = await fetch(await mediaOf('endless'))
  let received = 0
  for await (const chunk of answer.body ?? []) {
    received += chunk.length
    if (received > site.video('endless').bytes * 2) break
  }
  expect(received).toBeGreaterThan(site.video('endless').bytes * 2)
})

test('noise downloads well and is no film', { timeout: 60_000 }, async () => {
  const file = await downloaded(site.video('corrupt').url)
  expect((await stat(file)).size).toBe(site.video('corrupt').bytes)
  await expect(ffprobe(file)).rejects.toThrow('Invalid data')
})

test('what was made once is found again', async () => {
  const made = await readdir(folder)
  const again = await startVideoSite({ folder, ffmpeg: '/nonexistent' })
  await again.close()
  expect(await readdir(folder)).toEqual(made)
  expect(again.videos.map(({ bytes }) => bytes)).toEqual(site.videos.map(({ bytes }) => bytes))
})

test('nothing outside the media can be asked for', async () => {
  for (const path of [
    '/media/../package.json',
    '/media/%2e%2e/%2e%2e/package.json',
    '/media/',
    '/watch/nothing',
  ]) {
    expect((await fetch(site.url + path)).status).toBe(404)
  }
})
