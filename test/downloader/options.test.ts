import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { DownloadExtras } from '#contract/options.ts'
import { subtitleTags } from '../../downloader/ytdlp/ffprobe.ts'
import type { VideoKind } from '../world/video-site/catalogue.ts'
import { wideFormats, youTubeFormats } from '../world/youtube/formats.ts'
import { startSponsorBlock, type SponsorBlock } from '../world/youtube/sponsorblock.ts'
import { createYouTube, type YouTube, type YouTubeView } from '../world/youtube/youtube.ts'
import type { YouTubeVideo } from '../world/youtube/video.ts'
import { openFetching, placed, warningsOf, type Fetching, type Got } from './support/fetching.ts'

let place: Fetching
let youtube: YouTube
let view: YouTubeView
let sponsorBlock: SponsorBlock

beforeAll(async () => {
  place = await openFetching()
  sponsorBlock = await startSponsorBlock()
  youtube = await createYouTube({ site: place.site, ytDlp: inject('tools').ytDlp })
  view = await youtube.view()
})
afterAll(() => Promise.all([place.close(), youtube.close(), sponsorBlock.close()]))

const address = (kind: VideoKind): string => place.site.video(kind).url
const extras = (changes: object): { extras: DownloadExtras } => ({ extras: DownloadExtras.parse(changes) })

/** Fetches a video of YouTube that is there for this test alone. */
async function watch(video: YouTubeVideo, wish: Parameters<Fetching['fetch']>[1]): Promise<Got> {
  return place.fetch(await youtube.publish(video), wish, {
    ytDlp: view.ytDlp,
    sponsorBlockApi: sponsorBlock.url,
  })
}

async function chaptersOf(got: Got): Promise<string[]> {
  const { stdout } = await promisify(execFile)(inject('tools').ffprobe, [
    ...'-v error -show_entries chapter_tags=title -of csv=p=0'.split(' '),
    placed(got).path,
  ])
  return stdout.split('\n').filter(Boolean)
}

const codecsOf = ({ findings }: Got, type: string): (string | undefined)[] =>
  findings?.streams.filter(({ codec_type }) => codec_type === type).map(({ codec_name }) => codec_name) ?? []

async function besides(got: Got): Promise<string[]> {
  const stem = placed(got).file.name.replace(/\.\w+$/, '')
  const names = (await place.files()).map((path) => path.slice(path.lastIndexOf('/') + 1))
  return names.filter((name) => name.startsWith(stem)).map((name) => name.slice(stem.length))
}

const chapters = [
  { title: 'Beginning', start: 0, end: 6 },
  { title: 'End', start: 6, end: 12 },
]

test.concurrent('mp4: the height that was asked for, codecs of Plex, subtitles within, chapters and marks', async () => {
  const id = 'mark-------'
  sponsorBlock.mark(id, [{ category: 'sponsor', start: 2, end: 4, videoDuration: 12 }])
  const got = await watch(
    { id, chapters, subtitles: ['en-GB', 'de'] },
    {
      quality: '720p',
      ...extras({ subtitles: { languages: ['en', 'de'] }, sponsorBlock: { action: 'mark' } }),
    },
  )
  const { file, selection, warnings } = placed(got)
  expect(warnings).toEqual([])
  expect(selection).toMatchObject({
    reason: 'exact',
    directPlay: true,
    best: { heightPixels: 1080 },
    taken: { heightPixels: 720, videoCodec: 'h264', audioCodec: 'aac', bytes: file.bytes },
  })
  expect(file.subtitles).toEqual(['de', 'en-GB'])
  expect(got.findings && subtitleTags(got.findings).toSorted()).toEqual(['deu', 'eng'])
  expect(codecsOf(got, 'subtitle')).toEqual(['mov_text', 'mov_text'])
  expect(await chaptersOf(got)).toEqual(['Beginning', '[SponsorBlock]: Sponsor', 'Beginning', 'End'])
  expect(await besides(got)).toEqual(['-thumb.jpg', '.mp4', '.nfo'])
})

test.concurrent('mkv: what SponsorBlock names is cut out, of the subtitles beside it too', async () => {
  const id = 'remove-----'
  sponsorBlock.mark(id, [
    { category: 'sponsor', start: 4, end: 8, videoDuration: 12 },
    { category: 'intro', start: 0, end: 2, videoDuration: 12 },
  ])
  const got = await watch(
    { id, chapters, subtitles: ['en'] },
    {
      quality: '360p',
      format: 'mkv',
      ...extras({
        subtitles: { languages: ['en'], delivery: 'sidecar' },
        sponsorBlock: { action: 'remove', categories: ['sponsor'] },
        chapters: false,
        thumbnail: false,
      }),
    },
  )
  const { file, path } = placed(got)
  expect(warningsOf(got)).toEqual([])
  expect(file.durationSeconds).toBeGreaterThan(7)
  expect(file.durationSeconds).toBeLessThan(9.5)
  expect(await chaptersOf(got)).toEqual([])
  expect(await besides(got)).toEqual(['.en.srt', '.mkv', '.nfo'])
  const lines = await readFile(path.replace(/mkv$/, 'en.srt'), 'utf8')
  expect(lines).toContain('Good evening 1')
  expect(lines).toContain('00:00:05,000 --> 00:00:07,000\nGood evening 4')
  expect(codecsOf(got, 'subtitle')).toEqual([])
})

test.concurrent('webm: vp9 and opus as they are, with what a machine has heard', async () => {
  const got = await watch(
    { id: 'automatic--', subtitles: ['de'], automaticCaptions: ['fr', 'fr-de'] },
    {
      quality: '360p',
      format: 'webm',
      ...extras({ subtitles: { languages: ['fr'], automatic: true }, chapters: false }),
    },
  )
  expect(warningsOf(got)).toEqual([])
  expect(placed(got).file).toMatchObject({ videoCodec: 'vp9', audioCodec: 'opus', subtitles: ['fr'] })
  expect(codecsOf(got, 'subtitle')).toEqual(['webvtt'])
})

test.concurrent('a refusal of subtitles and of SponsorBlock is a warning, and the film is there', async () => {
  const refused = place.site.media('subtitles/de.vtt', { status: 429 }).url
  const english = place.site.media('subtitles/en.vtt').url
  const track = (url: string) => [{ ext: 'vtt', url }]
  const id = 'refused----'
  const got = await place.fetch(
    await youtube.publish({ id, info: { subtitles: { de: track(refused), en: track(english) } } }),
    {
      quality: '360p',
      ...extras({ subtitles: { languages: ['de', 'en', 'fr'] }, sponsorBlock: { action: 'remove' } }),
    },
    // Nobody listens there.
    { ytDlp: view.ytDlp, sponsorBlockApi: 'http://127.0.0.1:1' },
  )
  expect(warningsOf(got)).toEqual(['subtitles-missing', 'sponsorblock-unavailable'])
  expect(placed(got).warnings?.[0]?.detail).toContain('de, fr')
  expect(placed(got).file.subtitles).toEqual(['en'])
  expect(got.result.run.exitCode).toBe(1)
})

test.concurrent.each([
  ['subtitled', 'mp4', 'mov_text'],
  ['subtitled-hls', 'mkv', 'subrip'],
  ['subtitled-dash', 'mp4', 'mov_text'],
] as const)('subtitles of a %s film go into %s as %s', async (kind, format, codec) => {
  const got = await place.fetch(address(kind), {
    format,
    quality: '360p',
    ...extras({ subtitles: { languages: ['en', 'ar'] }, sponsorBlock: { action: 'remove' } }),
  })
  expect(placed(got).file.subtitles).toEqual(['ar', 'en'])
  expect(codecsOf(got, 'subtitle')).toEqual([codec, codec])
  // Other sites have no SponsorBlock.
  expect(warningsOf(got)).toEqual(['sponsorblock-unavailable'])
})

test.concurrent('where a site keeps the better for itself, it is said that there was no more', async () => {
  await view.say('silently-low', { id: 'low--------' })
  const got = await watch({ id: 'low--------' }, { quality: '1080p' })
  expect(placed(got).selection).toMatchObject({ reason: 'nearest-lower', best: { heightPixels: 360 } })
  expect(warningsOf(got)).toEqual(['lower-than-wanted'])
})

test.concurrent.each([
  ['unsolved-challenge', 'unsolved---', /could not solve/],
  ['no-js-runtime', 'no-runtime-', /could not solve/],
  ['no-po-token', 'no-token---', /wants a proof/],
] as const)(
  'where yt-dlp warns of %s, the best is not called the best in silence',
  async (speech, id, reason) => {
    await view.say(speech, { id })
    const got = await watch({ id }, { quality: 'best', ...extras({ chapters: false, thumbnail: false }) })
    const { warnings = [], file } = placed(got)
    expect(file.heightPixels).toBe(360)
    expect(warnings).toEqual([{ code: 'formats-missing', detail: expect.stringMatching(reason) }])
  },
)

test.concurrent('a wide film is 1080p by its width, and comes as what Plex plays', async () => {
  const got = await watch({ id: 'wide-------', formats: wideFormats(place.site) }, { quality: '1080p' })
  expect(placed(got).selection).toMatchObject({
    reason: 'exact',
    directPlay: true,
    best: { heightPixels: 1072, nominalLines: 1440, videoCodec: 'vp9' },
    taken: { heightPixels: 804, nominalLines: 1080, videoCodec: 'h264', audioCodec: 'aac' },
  })
  expect(warningsOf(got)).toEqual([])
})

test.concurrent('where all is higher than what was wanted, the nearest comes', async () => {
  const high = youTubeFormats(place.site).filter(({ height }) => height !== 360)
  const got = await watch({ id: 'nearest----', formats: high }, { quality: '360p' })
  expect(placed(got).selection).toMatchObject({ reason: 'nearest', taken: { heightPixels: 720 } })
  expect(warningsOf(got)).toEqual(['higher-than-wanted'])
})

test.concurrent('a site that promises more than it gives is found out, and so are codecs', async () => {
  const formats = youTubeFormats(place.site)
  const small = formats.find(({ format_id }) => format_id === '243')
  const got = await watch(
    {
      id: 'lying------',
      formats: formats
        .filter(({ format_id }) => format_id === '248' || format_id === '140')
        .map((format) => (format.format_id === '248' && small ? { ...format, url: small.url } : format)),
    },
    { quality: '1080p' },
  )
  expect(warningsOf(got)).toEqual(['lower-than-offered', 'not-direct-play'])
  expect(placed(got).selection?.explanation).toContain('Only 360p arrived.')
})

test.concurrent('sound alone, encoded anew where the site has no such, without a picture to be had', async () => {
  const got = await watch(
    { id: 'sound------', info: { thumbnail: 'http://127.0.0.1:1/none.jpg' } },
    { format: 'mp3', ...extras({ subtitles: { languages: ['en'] } }) },
  )
  expect(placed(got).selection).toMatchObject({ reason: 'sound', taken: { audioCodec: 'mp3' } })
  expect(warningsOf(got)).toEqual(['converted', 'subtitles-missing', 'thumbnail-missing'])
})

test.concurrent('subtitles that outlast the film do not make it another length', async () => {
  const got = await watch(
    {
      id: 'outlasting-',
      info: {
        subtitles: { en: [{ ext: 'vtt', data: 'WEBVTT\n\n00:00:01.000 --> 00:01:00.000\nStill here\n' }] },
      },
    },
    { quality: '360p', ...extras({ subtitles: { languages: ['en'] } }) },
  )
  expect(placed(got).file).toMatchObject({ subtitles: ['en'] })
  expect(placed(got).file.durationSeconds).toBeLessThan(13)
})

test.concurrent.each(
  ['long', 'wide', 'rtl', 'lines', 'template', 'dots', 'device', 'spaces'].map((kind) => `strange-${kind}`),
)('what calls itself %s gets a name like any other', async (id) => {
  const { path, file } = placed(await place.fetch(place.site.watch(id), { quality: '360p', videoId: id }))
  expect(path.startsWith(`${place.library}/`)).toBe(true)
  expect(path.slice(place.library.length + 1).split('/')).toHaveLength(3)
  expect(file.name).toContain(`[${id}]`)
  for (const part of path.slice(place.library.length + 1).split('/')) {
    expect(Buffer.byteLength(part)).toBeLessThanOrEqual(200)
    expect(part).not.toMatch(/[\p{Cc}\u200b\u202a-\u202e\u2066-\u2069]|^[\s.]|[\s.]$|^(?:con|aux)(?:\.|$)/iu)
  }
})
