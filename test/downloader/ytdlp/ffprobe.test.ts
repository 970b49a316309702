import { expect, test } from 'vitest'
import {
  prove,
  subtitleTags,
  type Expectation,
  type Findings,
  type Proof,
} from '../../../downloader/ytdlp/ffprobe.ts'

const picture = { codec_type: 'video', codec_name: 'h264', height: 720 }
const sound = { codec_type: 'audio', codec_name: 'aac' }
const cover = { codec_type: 'video', codec_name: 'mjpeg', height: 300, disposition: { attached_pic: 1 } }

const findings = (
  streams: Findings['streams'],
  duration = 100,
  format_name = 'mov,mp4,m4a,3gp',
): Findings => ({
  streams,
  format: { format_name, duration },
})
const expected = (changes: Partial<Expectation> = {}): Expectation => ({
  format: 'mp4',
  durationSeconds: 100,
  sound: true,
  ...changes,
})

const why = (proof: Proof): string | undefined => (proof.ok ? undefined : proof.why)

test('a film with picture and sound of the right length is proven', () => {
  expect(prove(findings([picture, sound]), expected())).toMatchObject({
    ok: true,
    facts: { durationSeconds: 100, heightPixels: 720, videoCodec: 'h264', audioCodec: 'aac' },
  })
})

test('what lacks a stream that was asked for is not', () => {
  const whyNot = (streams: Findings['streams'], changes: Partial<Expectation> = {}) =>
    why(prove(findings(streams), expected(changes)))
  expect(whyNot([sound])).toBe('no picture')
  expect(whyNot([picture])).toBe('no sound')
  expect(whyNot([cover, sound])).toBe('no picture')
  expect(whyNot([], { format: 'm4a' })).toBe('no sound')
  expect(whyNot([picture], { sound: false })).toBeUndefined()
  expect(why(prove(undefined, expected()))).toBe('it is no film and no sound')
})

test('audio may have a cover and no film', () => {
  expect(prove(findings([sound, cover]), expected({ format: 'm4a' })).ok).toBe(true)
  expect(why(prove(findings([sound, picture]), expected({ format: 'm4a' })))).toMatch(/sound alone/)
})

test('the length may differ by two per cent, or a second', () => {
  const at = (duration: number, durationSeconds: number | undefined) =>
    why(prove(findings([picture, sound], duration), expected({ durationSeconds })))
  expect([at(98, 100), at(102, 100), at(97.9, 100), at(102.14, 100)]).toEqual([
    undefined,
    undefined,
    '100 s expected, 97.9 s found',
    '100 s expected, 102.1 s found',
  ])
  expect([at(9, 10), at(8.9, 10), at(11, 10)]).toEqual([undefined, '10 s expected, 8.9 s found', undefined])
  expect([at(5, undefined), at(0, undefined)]).toEqual([undefined, 'it has no length'])
})

const long = (seen: number | undefined, heard: number | undefined): Findings['streams'] => [
  { ...picture, duration: seen },
  { ...sound, duration: heard },
]

test('of a film the picture is measured, and its sound must not end long before it', () => {
  const at = (seen: number | undefined, heard: number | undefined, container = 100) =>
    why(prove(findings(long(seen, heard), container), expected()))
  expect(at(5, 100)).toBe('100 s expected, 5 s found')
  expect(at(100, 5)).toBe('the picture is 100 s long, the sound 5 s')
  expect(at(95, 100)).toBe('100 s expected, 95 s found')
  expect([at(100, 100), at(100, 92), at(97, 100), at(98, 99), at(100, 130, 130)]).toEqual(
    Array.from({ length: 5 }, () => undefined),
  )
  // What is not told is not held against it.
  expect([at(undefined, 100), at(100, undefined), at(undefined, undefined)]).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(at(undefined, undefined, 57)).toBe('100 s expected, 57 s found')
})

test('the picture may end a moment before the sound, but not half-way through a short film', () => {
  const at = (seen: number, heard: number) =>
    prove(findings(long(seen, heard)), expected({ durationSeconds: heard }))
  expect(at(28.4, 30)).toMatchObject({ ok: true, facts: { durationSeconds: 30 } })
  expect(why(at(3, 5))).toBe('5 s expected, 3 s found')
})

test('of sound that stands alone the sound is measured', () => {
  const at = (heard: number) =>
    why(
      prove(
        findings([
          { ...sound, duration: heard },
          { ...cover, duration: 100 },
        ]),
        expected({ format: 'm4a' }),
      ),
    )
  expect([at(100), at(57)]).toEqual([undefined, '100 s expected, 57 s found'])
})

test('the container is the one that was asked for', () => {
  const webm = findings([picture, sound], 100, 'matroska,webm')
  expect(why(prove(webm, expected()))).toBe('the container is matroska,webm')
  expect(prove(webm, expected({ format: 'webm' })).ok).toBe(true)
  expect(prove(webm, expected({ format: 'mkv' })).ok).toBe(true)
})

test('subtitles that go on after the film make it no longer', () => {
  const endless = { codec_type: 'subtitle', codec_name: 'mov_text', duration: 200, tags: { language: 'eng' } }
  const film = findings([{ ...picture, duration: 100 }, { ...sound, duration: 99 }, endless], 200)
  expect(prove(film, expected())).toMatchObject({ facts: { durationSeconds: 100 } })
  expect(subtitleTags(film)).toEqual(['eng'])
  const mkv = findings(
    [{ ...picture, tags: { DURATION: '00:01:40.000000000' } }, sound],
    200,
    'matroska,webm',
  )
  expect(prove(mkv, expected({ format: 'mkv' }))).toMatchObject({ facts: { durationSeconds: 100 } })
})

test('what was cut out is missing from the length, and a film that could not be cut is still whole', () => {
  const at = (duration: number, cuts: number[]) =>
    prove(findings([picture, sound], duration), expected({ cuts })).ok
  expect([at(70, [30]), at(76, [30]), at(60, [20, 20])]).toEqual([true, true, true])
  expect([at(100, [30]), at(68, [30]), at(85, [30]), at(50, [])]).toEqual([true, false, false, false])
  expect(why(prove(findings([picture, sound], 50), expected({ cuts: [30] })))).toBe(
    '70 s of 100 s expected, 50 s found',
  )
})
