import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { VideoMetadata } from '#contract/downloads.ts'
import { evidenceOf } from '../../downloader/ytdlp/failure.ts'
import { probePlaylist, toPlaylist } from '../../downloader/ytdlp/playlist.ts'
import { probe } from '../../downloader/ytdlp/probe.ts'
import { checkPlaylistTarget, checkTarget } from '../../downloader/ytdlp/target.ts'
import { youTubeFormats } from '../world/youtube/formats.ts'
import { createYouTube, type YouTube, type YouTubeView } from '../world/youtube/youtube.ts'
import { openFetching, type Fetching } from './support/fetching.ts'

let place: Fetching
let youtube: YouTube
let view: YouTubeView
const never = new AbortController().signal

beforeAll(async () => {
  place = await openFetching()
  youtube = await createYouTube({ site: place.site, ytDlp: inject('tools').ytDlp })
  view = await youtube.view()
})
afterAll(() => Promise.all([place.close(), youtube.close()]))

async function list(url: string, limit: number) {
  const check = checkPlaylistTarget(url, place.allowedHosts)
  if (!check.ok) throw new Error(check.code)
  return probePlaylist(check.target, limit, place.toolbox({ ytDlp: view.ytDlp }), place.scratch, never)
}

async function look(url: string) {
  const check = checkTarget(url, place.allowedHosts)
  if (!check.ok) throw new Error(check.code)
  return probe(check.target, place.toolbox({ ytDlp: view.ytDlp }), place.scratch, never)
}

test.concurrent('a playlist is listed as far as it was asked for, and none of its videos is looked at', async () => {
  const url = await youtube.publishPlaylist({
    id: 'PL0123456789',
    title: 'She said "play"',
    videos: ['first------', 'second-----', 'third------'].map((id) => ({ id })),
  })
  expect(await list(url, 2)).toEqual({
    kind: 'playlist',
    playlist: {
      id: 'PL0123456789',
      title: 'She said "play"',
      totalVideos: 3,
      videos: ['first------', 'second-----'].map((id) => ({
        url: `https://www.youtube.com/watch?v=${id}`,
        title: `A film called ${id}`,
        durationSeconds: 12,
      })),
    },
  })
  expect((await view.runs()).filter(({ id }) => /^(?:first|second|third)-/.test(id))).toEqual([])
})

test.concurrent('a feed is a playlist too, and a film is none', async () => {
  const { site } = place
  const found = await list(site.feed(['drill-1', 'drill-2', 'drill-3']), 2)
  expect(found).toMatchObject({
    kind: 'playlist',
    playlist: { videos: [{ url: site.watch('drill-1') }, { url: site.watch('drill-2') }] },
  })
  expect(await list(site.watch('drill-1'), 2)).toMatchObject({ kind: 'failed', code: 'unsupported-url' })
  expect(await list(`${site.url}/nothing`, 2)).toMatchObject({ kind: 'failed', code: 'not-found' })
})

test.concurrent('of a video is told what it is offered in, spoken in and divided into', async () => {
  const url = await youtube.publish({
    id: 'looked-at--',
    availability: 'unlisted',
    chapters: [
      { title: 'One', start: 0, end: 6 },
      { title: 'Two', start: 6, end: 12 },
    ],
    subtitles: ['en', 'ar'],
    automaticCaptions: ['de'],
  })
  const found = await look(url)
  if (found.kind !== 'metadata') throw new Error(found.code)
  expect(VideoMetadata.parse(found.metadata)).toMatchObject({
    availability: 'unlisted',
    availableHeights: [1080, 720, 360],
    offers: expect.arrayContaining([
      expect.objectContaining({ heightPixels: 1080, videoCodec: 'av1', bytes: expect.any(Number) }),
      expect.objectContaining({ heightPixels: 720, videoCodec: 'h264' }),
      expect.objectContaining({ audioCodec: 'opus' }),
    ]),
    subtitles: [
      { language: 'en', name: 'English', automatic: false },
      { language: 'ar', name: 'Arabic', automatic: false },
      { language: 'de', name: 'German', automatic: true },
    ],
    chapters: [
      { title: 'One', startSeconds: 0, endSeconds: 6 },
      { title: 'Two', startSeconds: 6, endSeconds: 12 },
    ],
  })
  // No storyboard is an offer.
  expect(found.metadata.offers).toHaveLength(9)
})

test.concurrent.each([
  ['members-only', 'members-only'],
  ['private', 'private'],
  ['geo', 'geo-blocked'],
  ['age', 'age-restricted'],
  ['premium', 'premium-only'],
  ['only-images', 'js-runtime-missing'],
] as const)('a video that YouTube refuses as %s is asked about in vain', async (speech, code) => {
  const id = `${speech}-----------`.slice(0, 11)
  const storyboards = youTubeFormats(place.site).filter(({ format_id }) => format_id === 'sb0')
  const url = await youtube.publish({ id, ...(speech === 'only-images' && { formats: storyboards }) })
  await view.say(speech, { id })
  expect(await look(url)).toMatchObject({ kind: 'failed', code })
})

test.concurrent('what is for members only is not fetched', async () => {
  const url = await youtube.publish({ id: 'members----' })
  await view.say('members-only', { id: 'members----' })
  const { placement, result } = await place.fetch(url, {}, { ytDlp: view.ytDlp })
  expect(placement).toBe('members-only')
  expect(evidenceOf(result.run).join()).toMatch(/Join this channel/)
})

test.concurrent('a broadcast to come says when, and one under way that it is', async () => {
  const startsAt = new Date('2027-01-15T08:00:00Z')
  const coming = await youtube.publish({
    id: 'coming-----',
    liveStatus: 'is_upcoming',
    releaseTimestamp: startsAt.getTime() / 1000,
    formats: [],
  })
  expect(await look(coming)).toMatchObject({
    kind: 'metadata',
    metadata: { live: 'upcoming', startsAt: startsAt.toISOString() },
    startsAt,
  })
  const live = await look(place.site.video('live').url)
  expect(live).toMatchObject({ kind: 'metadata', metadata: { live: 'live' } })
})

test('what stands in a playlist for a video that is gone is known by its name, where it does not last', () => {
  const url = 'https://www.youtube.com/watch?v=gone-------'
  const entries = [
    { url, title: '[Private video]', duration: undefined },
    { url, title: '[Deleted video]', duration: undefined },
    { url, title: '[Deleted video]', duration: 12 },
    { url, title: 'constructor', duration: undefined },
  ]
  const info = { id: 'PL1', title: undefined, playlist_count: undefined }
  const { videos } = toPlaylist({ kind: 'playlist', info, entries }, 9)
  expect(videos.map(({ unavailable }) => unavailable)).toEqual(['private', 'removed', undefined, undefined])
})

test('entries without an address, or with one that cannot be, are left out', () => {
  const listed = toPlaylist(
    {
      kind: 'playlist',
      info: { id: 'x'.repeat(900), title: ' ', playlist_count: 1.5 },
      entries: [
        { url: undefined, title: 'No address', duration: 1 },
        { url: `https://example.org/${'x'.repeat(3000)}`, title: undefined, duration: undefined },
        { url: 'https://example.org/', title: '', duration: Number.POSITIVE_INFINITY },
        { url: 'https://example.org/2', title: 'Too many', duration: 1 },
      ],
    },
    3,
  )
  expect(listed).toEqual({ id: 'x'.repeat(500), videos: [{ url: 'https://example.org/' }] })
})
