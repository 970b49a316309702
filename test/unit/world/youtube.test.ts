import { execFile } from 'node:child_process'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { startVideoSite, type VideoSite } from '../../world/video-site/video-site.ts'
import { startSponsorBlock, type SponsorBlock } from '../../world/youtube/sponsorblock.ts'
import { createYouTube, type YouTube, type YouTubeView } from '../../world/youtube/youtube.ts'

const folder = resolve(import.meta.dirname, '../../../node_modules/.cache/video-site')
const id = '-bCdEfGhIj_'

let site: VideoSite
let sponsorBlock: SponsorBlock
let youTube: YouTube
let address: string
let workspace: string

beforeAll(async () => {
  const { ytDlp, ffmpeg } = inject('tools')
  site = await startVideoSite({ folder, ffmpeg })
  sponsorBlock = await startSponsorBlock()
  youTube = await createYouTube({ site, ytDlp, sponsorBlock: sponsorBlock.url })
  workspace = await mkdtemp(join(tmpdir(), 'medianest-youtube-test-'))
  address = await youTube.publish({
    id,
    title: 'A "film" of YouTube',
    chapters: [
      { title: 'One', start: 0, end: 6 },
      { title: 'Two', start: 6, end: 12 },
    ],
    subtitles: ['en', 'de'],
    automaticCaptions: ['en', 'fr'],
  })
}, 300_000)

afterAll(async () => {
  await Promise.all([site.close(), sponsorBlock.close(), youTube.close()])
  await rm(workspace, { recursive: true, force: true })
})

type Ran = { readonly code: number; readonly stdout: string; readonly stderr: string }

function run({ ytDlp }: YouTubeView, ...args: string[]): Promise<Ran> {
  const always = ['--ignore-config', '--no-update', '--ffmpeg-location', inject('tools').ffmpeg]
  return new Promise((done) => {
    const child = execFile(ytDlp, [...always, ...args], { cwd: workspace }, (_, stdout, stderr) =>
      done({ code: child.exitCode ?? -1, stdout, stderr }),
    )
  })
}

const heights = ['--simulate', '--ignore-no-formats-error', '--print', '%(.{id,title,formats.:.height})j']

test('a video is what YouTube offers of one', async () => {
  const view = await youTube.view()
  const fields =
    '%(.{id,title,channel,duration,extractor_key,upload_date,availability})j\n%(subtitles)j\n%(automatic_captions)j\n%(formats.:.{format_id,ext})j'
  const { stdout } = await run(view, '--simulate', '--print', fields, '--', address)
  const [info, subtitles, captions, formats] = stdout.split('\n').map((line) => JSON.parse(line || 'null'))
  expect(info).toEqual({
    id,
    title: 'A "film" of YouTube',
    channel: 'A Channel & Company',
    duration: 12,
    extractor_key: 'Youtube',
    upload_date: '20260314',
    availability: 'public',
  })
  expect([Object.keys(subtitles), Object.keys(captions)]).toEqual([
    ['en', 'de'],
    ['en', 'fr'],
  ])
  expect(formats.map(({ format_id }: { format_id: string }) => format_id).sort()).toEqual(
    ['sb0', '140', '251', '18', '134', '136', '137', '243', '247', '248', '399'].sort(),
  )
})

test('what is asked of a download is done to it', async () => {
  const view = await youTube.view()
  sponsorBlock.mark(id, [{ category: 'sponsor', start: 2, end: 4 }])
  const { code, stdout } = await run(
    view,
    ...'-q -f 243+251 --embed-chapters --sponsorblock-mark all --write-subs --sub-langs de'.split(' '),
    '-o',
    'film.%(ext)s',
    '--print',
    'after_move:%(chapters.:.title)j',
    '--no-simulate',
    '--',
    address,
  )
  expect(code).toBe(0)
  expect(JSON.parse(stdout)).toEqual(['One', '[SponsorBlock]: Sponsor', 'One', 'Two'])
  expect((await readdir(workspace)).sort()).toEqual(['film.de.vtt', 'film.webm'])
})

test('a SponsorBlock that fails is told of, and one that knows nothing is not', async () => {
  const view = await youTube.view()
  const other = await youTube.publish({ id: 'NothingHere' })
  const args = [
    '-q',
    '--sponsorblock-mark',
    'all',
    '-f',
    '18',
    '-o',
    'other.mp4',
    '--force-overwrites',
    '--',
    other,
  ]
  expect(await run(view, ...args)).toEqual({ code: 0, stdout: '', stderr: '' })
  sponsorBlock.fault({ kind: 'status', status: 500, times: 10 })
  const { code, stderr } = await run(view, ...args)
  sponsorBlock.clearFaults()
  expect([code, stderr]).toEqual([1, expect.stringContaining('Unable to communicate with SponsorBlock API')])
})

test('what is to be said is said by so many runs, and not to another downloader', async () => {
  const [view, other] = [await youTube.view(), await youTube.view()]
  await view.say('bot-check', { times: 3 })
  const runs = await Promise.all(
    [view, view, view, view, view, other].map((seen) => run(seen, '-q', '--simulate', '--', address)),
  )
  expect(runs.slice(0, 5).filter(({ code }) => code === 1)).toHaveLength(3)
  expect(runs.at(-1)?.code).toBe(0)
  expect(runs.find(({ code }) => code === 1)?.stderr).toMatch(
    /^ERROR: \[youtube\] -bCdEfGhIj_: Sign in to confirm you’re not a bot\. Use --cookies/,
  )
  const said = (await view.runs()).map(({ said }) => said)
  expect(said.sort()).toEqual(['bot-check', 'bot-check', 'bot-check', undefined, undefined])
  expect((await other.runs())[0]?.arguments.slice(-3)).toEqual(['--simulate', '--', address])
})

test('a site that blocks does so until it is allowed, for a video or a kind of run', async () => {
  const view = await youTube.view()
  await view.say('too-many-requests', { id })
  await view.say('private', { mode: 'download' })
  const blocked = await run(view, ...heights, '--', address)
  expect([blocked.code, blocked.stderr]).toEqual([
    1,
    expect.stringContaining('HTTP Error 429: Too Many Requests'),
  ])
  await view.allow({ id })
  expect((await run(view, ...heights, '--', address)).code).toBe(0)
  expect((await run(view, '-q', '--', address)).stderr).toContain('Private video. Sign in if')
  await view.allow()
  expect((await run(view, '-q', '-f', '18', '-o', 'allowed.mp4', '--', address)).code).toBe(0)
})

test('who may do without formats is warned and told what is known', async () => {
  const view = await youTube.view()
  await view.say('members-only', { times: 1 })
  const refused = await run(view, ...heights, '--', address)
  expect([refused.code, JSON.parse(refused.stdout).title]).toEqual([0, 'A "film" of YouTube'])
  expect(refused.stderr).toMatch(
    /^WARNING: \[youtube\] Join this channel to get access to members-only content/,
  )
  const gone = await run(view, ...heights, '--', 'https://www.youtube.com/watch?v=NeverWasHer')
  expect(JSON.parse(gone.stdout)).toMatchObject({ id: 'NeverWasHer', title: 'youtube video #NeverWasHer' })
  await view.say('unsolved-challenge')
  const low = await run(view, '--simulate', '--print', '%(formats.:.format_id)j', '--', address)
  expect([low.stderr, JSON.parse(low.stdout)]).toEqual([
    expect.stringContaining('n challenge solving failed: Some formats may be missing.'),
    ['sb0', '18'],
  ])
})

test('a playlist lists its videos, and everything else is the real yt-dlp', async () => {
  const view = await youTube.view()
  const list = await youTube.publishPlaylist({
    id: 'PL0123456789',
    videos: [{ id }, { id: 'abcdefghijk', title: '[Private video]' }],
  })
  const listed = await run(view, '--flat-playlist', '--print', '%(id)s', '--', list)
  expect(listed.stdout).toBe(`${id}\nabcdefghijk\n`)
  expect((await run(view, '--version')).stdout).toMatch(/^\d{4}\.\d{2}\.\d{2}/)
  const local = await run(view, '-q', '--no-warnings', '--print', 'id', '--', site.watch('heights'))
  expect(local.stdout).toBe('heights\n')
  expect(await view.runs()).toHaveLength(1)
})
