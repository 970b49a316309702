import fc from 'fast-check'
import { expect, test } from 'vitest'
import { VideoMetadata } from '#contract/downloads.ts'
import { toVideoMetadata } from '../../../downloader/ytdlp/metadata.ts'
import { RawFormat, RawMetadata } from '../../../downloader/ytdlp/records.ts'

const raw = (changes: object) => RawMetadata.parse({ id: 'x', ...changes })
const picture = (width: number, height: number) => RawFormat.parse({ width, height, vcodec: 'avc1' })

test('what a site tells is put in our words', () => {
  expect(
    toVideoMetadata(
      raw({
        title: ' A Title ',
        channel: 'C',
        duration: 61.5,
        thumbnail: 'https://i.ytimg.com/x.jpg',
        upload_date: '20250704',
        view_count: 12,
        live_status: 'was_live',
      }),
      [picture(1920, 1080), picture(640, 360), picture(640, 360), RawFormat.parse({ vcodec: 'none' })],
    ),
  ).toEqual({
    id: 'x',
    title: 'A Title',
    channel: 'C',
    durationSeconds: 61.5,
    thumbnail: 'https://i.ytimg.com/x.jpg',
    uploadDate: '2025-07-04',
    viewCount: 12,
    live: 'was-live',
    offers: [
      { heightPixels: 1080, videoCodec: 'h264' },
      { heightPixels: 360, videoCodec: 'h264' },
    ],
    availableHeights: [1080, 360],
    availableQualities: ['best', '1080p', '360p'],
  })
})

test('letterboxed and upright pictures count by the frame they fit into', () => {
  const qualities = (...formats: RawFormat[]) => toVideoMetadata(raw({}), formats).availableQualities
  expect(qualities(picture(1920, 804))).toEqual(['best', '1080p'])
  expect(qualities(picture(1080, 1920))).toEqual(['best', '1080p'])
  expect(qualities(picture(256, 144))).toEqual(['best'])
  // Cinemas have somewhat wider frames.
  expect(qualities(picture(4096, 2160))).toEqual(['best', '2160p'])
})

test.each([
  [1920, 1080, 1080],
  [1920, 804, 1080],
  [2560, 1072, 1440],
  [854, 358, 480],
  [640, 268, 360],
  [804, 1920, 1080],
  [1440, 1080, 1080],
  [1920, 1440, 1440],
  [1920, 1012, 1080],
  [2048, 1080, 1080],
  [848, 480, 480],
  [960, 540, 540],
  [1920, 1088, 1088],
  [2400, 1000, 1350],
  [undefined, 804, 804],
])('a picture of %sx%i goes by %i lines', (width, height, lines) => {
  const { offers = [] } = toVideoMetadata(raw({}), [RawFormat.parse({ width, height, vcodec: 'avc1' })])
  const heightPixels = Math.min(height, width ?? height)
  expect(offers).toEqual([
    { heightPixels, videoCodec: 'h264', ...(lines !== heightPixels && { nominalLines: lines }) },
  ])
})

test('what is malformed is left out, and the rest fits the contract', () => {
  expect(
    toVideoMetadata(
      raw({ title: '', thumbnail: '/relative.png', upload_date: '20259999', view_count: -1 }),
      [],
    ),
  ).toEqual({ id: 'x', title: 'x', availableHeights: [], availableQualities: ['best'] })
  fc.assert(
    fc.property(
      fc.record({
        title: fc.anything(),
        duration: fc.anything(),
        thumbnail: fc.anything(),
        upload_date: fc.anything(),
        release_timestamp: fc.oneof(fc.anything(), fc.double()),
        live_status: fc.constant('is_upcoming'),
      }),
      fc.array(
        fc.record({
          ext: fc.anything(),
          height: fc.oneof(fc.anything(), fc.double()),
          width: fc.oneof(fc.anything(), fc.double()),
          fps: fc.oneof(fc.anything(), fc.double()),
          vcodec: fc.oneof(fc.anything(), fc.constantFrom('none', 'avc1.4d', 'vp09.00', '')),
          acodec: fc.oneof(fc.anything(), fc.constantFrom('none', 'mp4a.40.2', 'opus')),
          filesize: fc.oneof(fc.anything(), fc.double()),
          tbr: fc.oneof(fc.anything(), fc.double()),
        }),
      ),
      fc.string(),
      (fields, formats, table) => {
        const parsed = RawMetadata.parse({ id: 'x', ...fields })
        const lists = { written: table, automatic: `Language Name Formats\n${table}` }
        VideoMetadata.parse(
          toVideoMetadata(
            parsed,
            formats.map((format) => RawFormat.parse(format)),
            lists,
          ),
        )
      },
    ),
  )
})

test('of forms that are alike the best is named, pictures before sounds, with what is fetched in all', () => {
  const format = (changes: object) => RawFormat.parse(changes)
  const { offers } = toVideoMetadata(raw({ duration: 8 }), [
    format({ vcodec: 'none', acodec: 'none', ext: 'mhtml', height: 90 }),
    format({ vcodec: 'none', acodec: 'mp4a.40.2', ext: 'm4a', filesize: 100 }),
    format({ vcodec: 'avc1.4d', acodec: 'mp4a.40.2', ext: 'mp4', width: 640, height: 360, tbr: 1 }),
    format({ vcodec: 'vp9', acodec: 'none', ext: 'webm', width: 1920, height: 1080, filesize: 900 }),
    format({ vcodec: 'avc1.64', acodec: 'none', ext: 'mp4', width: 1920, height: 1080, filesize: 500 }),
    format({ vcodec: 'avc1.64', acodec: 'none', ext: 'mp4', width: 1920, height: 1080, filesize: 700 }),
    format({ vcodec: 'avc1.64', acodec: 'none', ext: 'mp4', width: 1080, height: 1920, fps: 60 }),
  ])
  expect(offers).toEqual([
    { heightPixels: 1080, videoCodec: 'h264', container: 'mp4', framesPerSecond: 60 },
    { heightPixels: 1080, videoCodec: 'vp9', container: 'webm', bytes: 1000 },
    { heightPixels: 360, videoCodec: 'h264', audioCodec: 'aac', container: 'mp4', bytes: 1000 },
    { audioCodec: 'aac', container: 'm4a', bytes: 100 },
  ])
})

test('subtitles, chapters and the hour of a broadcast are told as far as they are known', () => {
  expect(
    toVideoMetadata(
      raw({ live_status: 'is_upcoming', release_timestamp: 1_800_000_000, availability: 'subscriber_only' }),
      [],
      {
        written: 'Language Name    Formats\nen       English vtt, srt\nzh-Hans  中文 (简体) vtt',
        automatic: 'Language Formats\nde       vtt, json3\nlive_chat json',
        chapters: [
          { title: 'One', start_time: 0, end_time: 5 },
          { title: undefined, start_time: 5, end_time: 9 },
          { title: 'None', start_time: 9, end_time: 9 },
        ],
      },
    ),
  ).toMatchObject({
    startsAt: '2027-01-15T08:00:00.000Z',
    availability: 'members-only',
    subtitles: [
      { language: 'en', name: 'English', automatic: false },
      { language: 'zh-Hans', name: '中文 (简体)', automatic: false },
      { language: 'de', automatic: true },
    ],
    chapters: [
      { title: 'One', startSeconds: 0, endSeconds: 5 },
      { title: 'Chapter 2', startSeconds: 5, endSeconds: 9 },
    ],
  })
})

test('what a site lists without end is cut short', () => {
  const table = ['Language Formats', ...Array.from({ length: 500 }, (_, index) => `l${index} vtt`)].join('\n')
  const formats = Array.from({ length: 200 }, (_, index) => picture(100 + index, 100 + index))
  const { subtitles, offers } = toVideoMetadata(raw({}), formats, { written: table, automatic: table })
  expect([subtitles?.length, offers?.length]).toEqual([300, 60])
})
