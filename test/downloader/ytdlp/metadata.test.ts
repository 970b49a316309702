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
    availableHeights: [1080, 360],
    availableQualities: ['best', '1080p', '360p'],
  })
})

test('letterboxed and upright pictures count by the frame they fit into', () => {
  const qualities = (...formats: RawFormat[]) => toVideoMetadata(raw({}), formats).availableQualities
  expect(qualities(picture(1920, 804))).toEqual(['best', '1080p'])
  expect(qualities(picture(1080, 1920))).toEqual(['best', '1080p'])
  expect(qualities(picture(256, 144))).toEqual(['best'])
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
      }),
      (fields) => {
        const parsed = RawMetadata.safeParse({ id: 'x', ...fields })
        expect(parsed.success).toBe(true)
        if (parsed.success) VideoMetadata.parse(toVideoMetadata(parsed.data, []))
      },
    ),
  )
})
