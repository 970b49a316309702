import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formats, qualities, type Quality } from '#contract/options.ts'
import { Selection, type Offer } from '#contract/selection.ts'
import { cutsOf } from '../../../downloader/ytdlp/account.ts'
import { isConverted } from '../../../downloader/ytdlp/conversion.ts'
import { RawStream } from '../../../downloader/ytdlp/records.ts'
import {
  explainSelection,
  selectionWarnings,
  type Taken,
  type Wanted,
} from '../../../downloader/ytdlp/selection.ts'
import { languagesEmbedded, languagesMissing } from '../../../downloader/ytdlp/subtitles.ts'

const offered = (...heights: number[]): Offer[] => heights.map((heightPixels) => ({ heightPixels }))
const h264 = { videoCodec: 'h264', audioCodec: 'aac' }

function judge(
  wanted: Partial<Wanted>,
  offers: readonly Offer[],
  taken: Taken,
  converted = false,
): { selection: Selection; codes: string[] } {
  const selection = explainSelection({ quality: '1080p', format: 'mp4', ...wanted }, offers, taken)
  const warnings = selectionWarnings(selection, offers, { nominal: taken.nominal, converted })
  return { selection, codes: warnings.map(({ code }) => code) }
}

test.each<[Quality, number[], number, Selection['reason'], string[]]>([
  ['1080p', [2160, 1080, 360], 1080, 'exact', []],
  ['best', [1440, 360], 1440, 'best', []],
  ['1080p', [720, 360], 720, 'nearest-lower', ['lower-than-wanted']],
  ['480p', [1080, 720, 360], 360, 'nearest-lower', ['lower-than-wanted']],
  ['360p', [1080, 720], 720, 'nearest', ['higher-than-wanted']],
  ['1080p', [2160, 1080, 360], 360, 'exact', ['lower-than-offered']],
  ['best', [1080, 360], 360, 'best', ['lower-than-offered']],
  ['1080p', [720, 360], 360, 'nearest-lower', ['lower-than-offered']],
  ['1080p', [1088], 1080, 'nearest', []],
  ['720p', [], 360, 'nearest-lower', ['lower-than-wanted']],
])('%s wanted, %j offered, %i taken is %s with %j', (quality, heights, got, reason, warned) => {
  const { selection, codes } = judge({ quality }, offered(...heights), { heightPixels: got, ...h264 })
  expect([selection.reason, codes]).toEqual([reason, warned])
  if (warned.includes('lower-than-offered'))
    expect(selection.explanation).toContain(`Only ${got} lines arrived.`)
})

test('a letterboxed picture is what its frame is called', () => {
  const { selection, codes } = judge({}, offered(804, 536), { heightPixels: 804, nominal: '1080p', ...h264 })
  expect([selection.reason, codes]).toEqual(['exact', []])
  expect(selection.taken).not.toHaveProperty('nominal')
})

test('what Plex players commonly take is told from what they may not', () => {
  const direct = (format: Wanted['format'], taken: Offer) => {
    const { selection, codes } = judge({ format }, offered(1080), { heightPixels: 1080, ...taken })
    return [selection.directPlay, codes.includes('not-direct-play')]
  }
  expect(direct('mp4', h264)).toEqual([true, false])
  expect(direct('mp4', { videoCodec: 'h264' })).toEqual([true, false])
  expect(direct('mp4', { videoCodec: 'vp9', audioCodec: 'aac' })).toEqual([false, true])
  expect(direct('mp4', { videoCodec: 'h264', audioCodec: 'opus' })).toEqual([false, true])
  // Nobody asked for anything else.
  expect(direct('mkv', h264)).toEqual([false, false])
  expect(direct('m4a', { audioCodec: 'aac' })).toEqual([true, false])
})

test('sound alone is not held against heights', () => {
  const { selection, codes } = judge({ format: 'mp3', quality: '1080p' }, offered(1080), {
    audioCodec: 'mp3',
  })
  expect([selection.reason, codes]).toEqual(['sound', []])
})

test('what was encoded anew is said to be', () => {
  expect(judge({ format: 'webm' }, [], { heightPixels: 1080 }, true).codes).toEqual(['converted'])
  const stream = (changes: object) => RawStream.parse(changes)
  const webm = { videoCodec: 'vp9', audioCodec: 'opus' }
  expect(isConverted([stream({ vcodec: 'avc1.4d', acodec: 'mp4a.40.2' })], webm, 'webm')).toBe(true)
  const apart = [stream({ vcodec: 'vp09.1', acodec: 'none' }), stream({ vcodec: 'none', acodec: 'opus' })]
  expect(isConverted(apart, webm, 'webm')).toBe(false)
  expect(isConverted([stream({ ext: 'mp4' })], webm, 'webm')).toBe(true)
  expect(isConverted([stream({ ext: 'mp4' })], { audioCodec: 'aac' }, 'm4a')).toBe(false)
  expect(isConverted([stream({ ext: 'mp4' })], { audioCodec: 'mp3' }, 'mp3')).toBe(true)
})

test('whatever is offered and taken, the account fits the contract and never hides a miss', () => {
  const offer = fc.record(
    { heightPixels: fc.integer({ min: 1, max: 5000 }), videoCodec: fc.string(), audioCodec: fc.string() },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(
      fc.constantFrom(...qualities),
      fc.constantFrom(...formats),
      fc.array(offer),
      offer,
      (quality, format, offers, taken) => {
        const { selection, codes } = judge({ quality, format }, offers, taken)
        Selection.parse(selection)
        const heights = offers.flatMap(({ heightPixels }) => heightPixels ?? [])
        const wish = quality === 'best' ? Math.max(0, ...heights) : Number.parseInt(quality, 10)
        const there = Math.max(0, ...heights.filter((height) => height <= wish))
        const { heightPixels: got } = taken
        if (selection.reason !== 'sound' && got !== undefined && got < there * 0.98)
          expect(codes).toContain('lower-than-offered')
      },
    ),
  )
})

test('spans that overlap are one cut, and only what was to be removed counts', () => {
  const span = (category: string, start_time: number, end_time: number) => ({
    category,
    start_time,
    end_time,
  })
  const remove = {
    chapters: true,
    thumbnail: true,
    sponsorBlock: { action: 'remove', categories: ['sponsor', 'intro'] },
  } as const
  const spans = [span('intro', 8, 12), span('sponsor', 0, 5), span('sponsor', 4, 6), span('outro', 20, 30)]
  expect(
    cutsOf(spans, { ...remove, sponsorBlock: { ...remove.sponsorBlock, categories: ['sponsor', 'intro'] } }),
  ).toEqual([6, 4])
  expect(cutsOf([], { ...remove, sponsorBlock: { action: 'remove', categories: ['sponsor'] } })).toEqual([])
  expect(
    cutsOf(spans, {
      chapters: true,
      thumbnail: true,
      sponsorBlock: { action: 'mark', categories: ['sponsor'] },
    }),
  ).toEqual([])
})

test('the languages of streams are told by tags of three letters', () => {
  expect(languagesEmbedded(['de', 'en-US', 'pt-BR'], ['eng', 'ger'])).toEqual(['de', 'en-US'])
  expect(languagesEmbedded(['en', 'en-GB'], ['eng'])).toEqual(['en'])
  expect(languagesEmbedded(['iw', 'fil'], ['heb', 'fin'])).toEqual(['iw', 'fil'])
  expect(languagesEmbedded(['en'], ['und', 'not a tag'])).toEqual([])
  const wish = (...languages: string[]) => ({ languages, delivery: 'embed' as const, automatic: false })
  expect(languagesMissing(wish('en', 'de', 'pt-BR'), ['en-GB', 'pt'])).toEqual(['de', 'pt-BR'])
})
