import fc from 'fast-check'
import { expect, test } from 'vitest'
import { formats, qualities, type Quality } from '#contract/options.ts'
import { nominalOf, Selection, type Offer } from '#contract/selection.ts'
import { cutsOf } from '../../../downloader/ytdlp/account.ts'
import { isConverted } from '../../../downloader/ytdlp/conversion.ts'
import { RawStream } from '../../../downloader/ytdlp/records.ts'
import { explainSelection, selectionWarnings, type Wanted } from '../../../downloader/ytdlp/selection.ts'
import { languagesEmbedded, languagesMissing } from '../../../downloader/ytdlp/subtitles.ts'

const offered = (...heights: number[]): Offer[] => heights.map((heightPixels) => ({ heightPixels }))
const h264 = { videoCodec: 'h264', audioCodec: 'aac' }

function judge(
  wanted: Partial<Wanted>,
  offers: readonly Offer[],
  taken: Offer,
  converted = false,
): { selection: Selection; codes: string[] } {
  const selection = explainSelection({ quality: '1080p', format: 'mp4', ...wanted }, offers, taken)
  const warnings = selectionWarnings(selection, offers, { converted })
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
  ['1080p', [1088], 1080, 'exact', []],
  ['1080p', [1088], 1088, 'exact', []],
  ['1080p', [1088, 720], 720, 'nearest-lower', ['lower-than-wanted']],
  ['720p', [], 360, 'nearest-lower', ['lower-than-wanted']],
])('%s wanted, %j offered, %i taken is %s with %j', (quality, heights, got, reason, warned) => {
  const { selection, codes } = judge({ quality }, offered(...heights), { heightPixels: got, ...h264 })
  expect([selection.reason, codes]).toEqual([reason, warned])
  if (warned.includes('lower-than-offered')) expect(selection.explanation).toContain(`Only ${got}p arrived.`)
})

test('a letterboxed picture is what its frame is called', () => {
  const { selection, codes } = judge({}, offered(804, 536), {
    heightPixels: 804,
    nominalLines: 1080,
    ...h264,
  })
  expect([selection.reason, codes]).toEqual(['exact', []])
})

const wide: Offer[] = [
  { heightPixels: 1072, nominalLines: 1440, videoCodec: 'vp9' },
  { heightPixels: 804, nominalLines: 1080, ...h264 },
  { heightPixels: 536, nominalLines: 720, ...h264 },
]

test.each<[Quality, number, Selection['reason'], string[]]>([
  ['1080p', 1, 'exact', []],
  ['720p', 2, 'exact', []],
  ['2160p', 0, 'nearest-lower', ['lower-than-wanted', 'not-direct-play']],
  ['480p', 2, 'nearest', ['higher-than-wanted']],
  ['best', 0, 'best', ['not-direct-play']],
  ['best', 1, 'best', ['lower-than-offered']],
  ['1080p', 2, 'exact', ['lower-than-offered']],
])('of a wide film %s wanted and the form %i taken is %s with %j', (quality, index, reason, warned) => {
  const { selection, codes } = judge({ quality }, wide, wide[index] ?? {})
  expect([selection.reason, codes]).toEqual([reason, warned])
  expect(selection.best).toEqual(wide[0])
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

test('sound alone is not held against heights, and the best of it is a sound', () => {
  const opus = { audioCodec: 'opus', container: 'webm', bytes: 2 }
  const offers = [...offered(1080), { ...opus, heightPixels: 360 }, opus, { audioCodec: 'aac', bytes: 1 }]
  const { selection, codes } = judge({ format: 'mp3', quality: '1080p' }, offers, { audioCodec: 'mp3' })
  expect([selection.reason, selection.best, codes]).toEqual(['sound', opus, []])
  const muxed = judge({ format: 'mp3' }, offered(1080), { audioCodec: 'mp3' }).selection
  expect(muxed).not.toHaveProperty('best')
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
    {
      heightPixels: fc.integer({ min: 1, max: 5000 }),
      nominalLines: fc.integer({ min: 1, max: 5000 }),
      videoCodec: fc.string(),
      audioCodec: fc.string(),
    },
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
        const heights = offers.flatMap((form) => nominalOf(form) ?? [])
        const wish = quality === 'best' ? Math.max(0, ...heights) : Number.parseInt(quality, 10)
        const there = Math.max(0, ...heights.filter((height) => height <= wish))
        const got = nominalOf(taken)
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
