import fc from 'fast-check'
import { expect, test } from 'vitest'
import * as z from 'zod'

import {
  DownloadExtras,
  formats,
  isAudio,
  qualities,
  sponsorCategories,
  type DownloadOptions,
} from '#contract/options.ts'
import { Selection } from '#contract/selection.ts'

import { formOf, isSameForm } from '#contract/form.ts'
import { idOf, IdempotencyHeader, stemOf } from '../../../src/youtube/idempotency.ts'
import { predictSelection } from '../../../src/youtube/predict.ts'

const anyOptions = fc.record({
  quality: fc.constantFrom(...qualities),
  format: fc.constantFrom(...formats),
  extras: fc
    .record(
      {
        subtitles: fc.record({
          languages: fc.uniqueArray(fc.constantFrom('de', 'en', 'pt-BR'), { minLength: 1 }),
          delivery: fc.constantFrom('embed', 'sidecar'),
          automatic: fc.boolean(),
        }),
        sponsorBlock: fc.record({
          action: fc.constantFrom('mark', 'remove'),
          categories: fc.uniqueArray(fc.constantFrom(...sponsorCategories), { minLength: 1 }),
        }),
        chapters: fc.boolean(),
        thumbnail: fc.boolean(),
      },
      { requiredKeys: [] },
    )
    .map((extras) => DownloadExtras.parse(extras)),
})

/** The same, in another order and another making. */
const turned = ({ extras, format, quality }: DownloadOptions): DownloadOptions => {
  const { subtitles, sponsorBlock, ...rest } = extras
  return {
    extras: {
      ...(sponsorBlock && {
        sponsorBlock: { ...sponsorBlock, categories: sponsorBlock.categories.toReversed() },
      }),
      ...rest,
      ...(subtitles && { subtitles: { ...subtitles, languages: subtitles.languages.toReversed() } }),
    },
    format,
    quality,
  }
}

test('the form of a file is its options, and not their order', () => {
  fc.assert(
    fc.property(anyOptions, anyOptions, (one, other) => {
      expect(formOf(turned(one))).toBe(formOf(one))
      const canonical = ({ extras, ...rest }: DownloadOptions) => ({
        ...rest,
        ...extras,
        subtitles: extras.subtitles && {
          ...extras.subtitles,
          languages: new Set(extras.subtitles.languages),
        },
        sponsorBlock: extras.sponsorBlock && {
          ...extras.sponsorBlock,
          categories: new Set(extras.sponsorBlock.categories),
        },
      })
      const isEqual = (() => {
        try {
          expect(canonical(one)).toEqual(canonical(other))
          return true
        } catch {
          return false
        }
      })()
      expect(isSameForm(one, other)).toBe(isEqual)
    }),
  )
})

test('an id is a UUID, the same for the same and another for anything else', async () => {
  const text = fc.string({ minLength: 1, maxLength: 20 })
  await fc.assert(
    fc.asyncProperty(text, text, text, async (user, key, part) => {
      const id = await idOf(user, key, part)
      expect(z.uuid({ version: 'v8' }).safeParse(id).success).toBe(true)
      expect(await idOf(user, key, part)).toBe(id)
      const others = [
        await idOf(user, key),
        await idOf(user, `${key}${part}`),
        await idOf(`${user}${key}`, part),
      ]
      expect(others).not.toContain(id)
      const stem = await stemOf(user, key)
      expect([id, ...others].map((each) => each.startsWith(stem))).toEqual([true, true, false, false])
    }),
  )
})

test('a key is visible ASCII, and not without end', () => {
  const accepts = (key: string) => IdempotencyHeader.safeParse({ 'Idempotency-Key': key }).success
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (key) => {
      const isVisible = [...key].every((character) => character > ' ' && character <= '~')
      expect(accepts(key)).toBe(key.length >= 1 && key.length <= 255 && isVisible)
    }),
  )
  expect([accepts('a'), accepts('a'.repeat(255)), accepts('a'.repeat(256))]).toEqual([true, true, false])
  expect(IdempotencyHeader.parse({ host: 'x' })).toEqual({})
})

const extras = DownloadExtras.parse({})
const predict = (quality: DownloadOptions['quality'], format: DownloadOptions['format'], heights: number[]) =>
  predictSelection({ quality, format, extras }, { availableHeights: heights })

test.each([
  ['1080p', [360, 1080, 2160], 1080, 'exact'],
  ['1080p', [360, 720, 2160], 720, 'nearest-lower'],
  ['360p', [1080, 720], 720, 'nearest'],
  ['best', [360, 2160, 720], 2160, 'best'],
] as const)('%s of %j is %dp, %s', (quality, heights, heightPixels, reason) => {
  const told = predict(quality, 'mkv', [...heights])
  expect(told).toMatchObject({
    reason,
    taken: { heightPixels },
    best: { heightPixels: Math.max(...heights) },
  })
  expect(told?.explanation).toContain(`${heightPixels}p`)
})

test('each container has the codec that belongs there, where it is offered', () => {
  const offers = [
    { heightPixels: 1080, videoCodec: 'vp09.00.40.08', bytes: 3 },
    { heightPixels: 1080, videoCodec: 'avc1.640028', bytes: 4 },
    { heightPixels: 2160, videoCodec: 'av01.0.12M.08', bytes: 9 },
    { audioCodec: 'opus', bytes: 1 },
  ]
  const of = (quality: DownloadOptions['quality'], format: DownloadOptions['format']) =>
    predictSelection({ quality, format, extras }, { availableHeights: [1080, 2160], offers })
  expect(of('1080p', 'mp4')).toMatchObject({ taken: { bytes: 4 }, directPlay: true, best: { bytes: 9 } })
  expect(of('1080p', 'webm')).toMatchObject({ taken: { bytes: 3 }, directPlay: false })
  expect(of('2160p', 'mp4')).toMatchObject({ taken: { bytes: 9 }, directPlay: false })
  expect(of('best', 'm4a')).toMatchObject({ reason: 'sound', taken: { bytes: 1 }, directPlay: true })
})

test('what is predicted is a selection among what is offered, or nothing', () => {
  const heights = fc.uniqueArray(fc.integer({ min: 1, max: 4320 }), { maxLength: 6 })
  fc.assert(
    fc.property(anyOptions, heights, ({ quality, format }, offered) => {
      const told = predict(quality, format, offered)
      expect(told === undefined).toBe(!isAudio(format) && offered.length === 0)
      if (!told) return
      expect(Selection.parse(told)).toEqual(told)
      if (!isAudio(format)) expect(offered).toContain(told.taken?.heightPixels)
    }),
  )
})
