import { expect, test } from 'vitest'
import { prove, subtitleTags, type Expectation, type Findings } from '../../../downloader/ytdlp/ffprobe.ts'

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

test('a film with picture and sound of the right length is proven', () => {
  expect(prove(findings([picture, sound]), expected())).toEqual({
    durationSeconds: 100,
    heightPixels: 720,
    videoCodec: 'h264',
    audioCodec: 'aac',
  })
})

test('what lacks a stream that was asked for is not', () => {
  expect(prove(findings([sound]), expected())).toBeUndefined()
  expect(prove(findings([picture]), expected())).toBeUndefined()
  expect(prove(findings([cover, sound]), expected())).toBeUndefined()
  expect(prove(findings([]), expected({ format: 'm4a' }))).toBeUndefined()
  expect(prove(findings([picture]), expected({ sound: false }))).toBeDefined()
})

test('audio may have a cover and no film', () => {
  expect(prove(findings([sound, cover]), expected({ format: 'm4a' }))).toBeDefined()
  expect(prove(findings([sound, picture]), expected({ format: 'm4a' }))).toBeUndefined()
})

test('the length may differ by two per cent, or a second', () => {
  const at = (duration: number, durationSeconds: number | undefined) =>
    prove(findings([picture, sound], duration), expected({ durationSeconds })) !== undefined
  expect([at(98, 100), at(102, 100), at(97.9, 100), at(102.1, 100)]).toEqual([true, true, false, false])
  expect([at(9, 10), at(8.9, 10), at(11, 10)]).toEqual([true, false, true])
  expect([at(5, undefined), at(0, undefined)]).toEqual([true, false])
})

test('the container is the one that was asked for', () => {
  const webm = findings([picture, sound], 100, 'matroska,webm')
  expect(prove(webm, expected())).toBeUndefined()
  expect(prove(webm, expected({ format: 'webm' }))).toBeDefined()
  expect(prove(webm, expected({ format: 'mkv' }))).toBeDefined()
})

test('subtitles that go on after the film make it no longer', () => {
  const long = { codec_type: 'subtitle', codec_name: 'mov_text', duration: 200, tags: { language: 'eng' } }
  const film = findings([{ ...picture, duration: 100 }, { ...sound, duration: 99 }, long], 200)
  expect(prove(film, expected())).toMatchObject({ durationSeconds: 100 })
  expect(subtitleTags(film)).toEqual(['eng'])
  const mkv = findings(
    [{ ...picture, tags: { DURATION: '00:01:40.000000000' } }, sound],
    200,
    'matroska,webm',
  )
  expect(prove(mkv, expected({ format: 'mkv' }))).toMatchObject({ durationSeconds: 100 })
})

test('what was cut out is missing from the length, and a film that could not be cut is still whole', () => {
  const at = (duration: number, cuts: number[]) =>
    prove(findings([picture, sound], duration), expected({ cuts })) !== undefined
  expect([at(70, [30]), at(76, [30]), at(60, [20, 20])]).toEqual([true, true, true])
  expect([at(100, [30]), at(68, [30]), at(85, [30]), at(50, [])]).toEqual([true, false, false, false])
})
