import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import * as z from 'zod'
import { startVideoSite, type VideoSite } from '../../world/video-site/video-site.ts'

const folder = resolve(import.meta.dirname, '../../../node_modules/.cache/video-site')

let site: VideoSite
let workspace: string

beforeAll(async () => {
  site = await startVideoSite({ folder, ffmpeg: inject('tools').ffmpeg })
  workspace = await mkdtemp(join(tmpdir(), 'video-site-'))
}, 300_000)

afterAll(async () => {
  await site.close()
  await rm(workspace, { recursive: true, force: true })
})

async function ytDlp(...args: string[]): Promise<string> {
  const quiet = ['--ignore-config', '--no-update', '--no-warnings', '--quiet']
  return (await promisify(execFile)(inject('tools').ytDlp, [...quiet, ...args])).stdout
}

const mediaOf = async (kind: Parameters<VideoSite['video']>[0]): Promise<string> => {
  const page = await (await fetch(site.video(kind).url)).text()
  return /"file":"([^"]+)"/.exec(page)?.[1] ?? ''
}

test('a film that is refused at first is served after so many refusals, counted by its path', async () => {
  for (const [kind, status, after] of [
    ['limited-at-first', 429, '3'],
    ['forbidden-at-first', 403, null],
  ] as const) {
    const url = await mediaOf(kind)
    const answers = [await fetch(url), await fetch(url), await fetch(url)]
    expect(answers.map((answer) => answer.status)).toEqual([status, status, 200])
    expect(answers.map(({ headers }) => headers.get('retry-after'))).toEqual([after, after, null])
    await answers[2]?.body?.cancel()
  }
  const again = site.media('clips/fault.mp4', { status: 429, fails: 1, after: 60, run: 'again' }).url
  expect((await fetch(again)).headers.get('retry-after')).toBe('60')
  expect((await fetch(again, { method: 'HEAD' })).status).toBe(200)
})

test('a film with subtitles brings them along, whatever it is made of', { timeout: 60_000 }, async () => {
  const kinds = ['subtitled', 'subtitled-tracks', 'subtitled-hls', 'subtitled-dash'] as const
  const target = await mkdtemp(join(workspace, 'subtitles-'))
  const args = ['--skip-download', '--write-subs', '--sub-langs', 'ar,en', '-o', join(target, '%(id)s')]
  await ytDlp(...args, '--', ...kinds.map((kind) => site.video(kind).url))
  const files = await readdir(target)
  expect(files).toHaveLength(kinds.length * 2)
  for (const file of files.filter((name) => name.includes('.ar.')))
    expect(await readFile(join(target, file), 'utf8')).toMatch(/^WEBVTT[^]*00:0[^]*مساء الخير 4\s*$/)
})

test('a feed lists its films, those that are gone too', { timeout: 60_000 }, async () => {
  const url = site.feed(['drill-1', 'gone', 'drill-2'], { rate: 500_000 })
  const fields = '%(playlist_title)s %(playlist_count)s %(url)s'
  const lines = (await ytDlp('--flat-playlist', '--print', fields, '--', url)).trim().split('\n')
  expect(lines).toEqual(
    ['drill-1', 'gone', 'drill-2'].map((id) => `A feed of 3 films 3 ${site.watch(id, { rate: 500_000 })}`),
  )
  const watched = await Promise.all(
    [...lines].map(async (line) => (await fetch(line.split(' ').at(-1) ?? '')).status),
  )
  expect(watched).toEqual([200, 404, 200])
})

test('a broadcast that goes on is live, and names are strange', { timeout: 60_000 }, async () => {
  const strange = site.videos.filter(({ kind }) => kind === 'strange')
  const print = ['--simulate', '--print', '%(.{id,title,channel,live_status,duration})j', '--']
  const lines = await ytDlp(...print, ...[site.video('live'), ...strange].map(({ url }) => url))
  const [live, ...seen] = lines
    .trim()
    .split('\n')
    .map((line) => z.record(z.string(), z.unknown()).parse(JSON.parse(line)))
  expect(live).toMatchObject({ id: 'live', live_status: 'is_live' })
  expect(live).not.toHaveProperty('duration')
  expect(seen.map(({ title }) => title)).toEqual(strange.map(({ title }) => title))
  expect(Math.max(...strange.map(({ title }) => title.length))).toBeGreaterThanOrEqual(300)
})

test('an HLS film with a piece missing fails and names it', { timeout: 60_000 }, async () => {
  const args = [
    '--abort-on-unavailable-fragments',
    '--fragment-retries',
    '0',
    '-o',
    join(workspace, 'holed.mp4'),
  ]
  await expect(ytDlp(...args, '--', site.video('holed').url)).rejects.toThrow('fragment 2 not found')
})

test('five drill films are five different ones', async () => {
  const drills = site.videos.filter(({ kind }) => kind === 'drill')
  const bytes = drills.map(async ({ id }) => {
    const { url } = site.media(`clips/${id}.mp4`, { rate: 2_000_000 })
    return createHash('sha256')
      .update(Buffer.from(await (await fetch(url)).arrayBuffer()))
      .digest('hex')
  })
  expect(new Set(await Promise.all(bytes)).size).toBe(5)
})
