import { expect, test } from 'vitest'
import { DownloadExtras, type Format, type Quality } from '#contract/options.ts'
import type { Offer } from '#contract/selection.ts'
import { predictSelection } from '../../../src/youtube/predict.ts'

const extras = DownloadExtras.parse({})

const predict = (quality: Quality, format: Format, offers: Offer[], availableHeights: number[] = []) =>
  predictSelection({ quality, format, extras }, { availableHeights, offers })

const wide: Offer[] = [
  { heightPixels: 1072, nominalLines: 1440, videoCodec: 'vp9', bytes: 9 },
  { heightPixels: 804, nominalLines: 1080, videoCodec: 'vp9', bytes: 5 },
  { heightPixels: 804, nominalLines: 1080, videoCodec: 'h264', bytes: 4 },
  { heightPixels: 358, nominalLines: 480, videoCodec: 'h264', bytes: 2 },
]

test.each<[Quality, number, string]>([
  ['1080p', 2, '1080p, as it was asked for.'],
  ['best', 0, 'The best that is offered, 1440p.'],
  ['720p', 3, '720p is not offered: 480p is the next below.'],
  ['360p', 3, 'Nothing as low as 360p is offered: 480p is the nearest.'],
])('of a wide film %s is the form %i: %s', (quality, index, explanation) => {
  const told = predict(quality, 'mp4', wide, [1072, 804, 358])
  expect(told).toMatchObject({ best: wide[0], taken: wide[index], explanation })
})

test('a height of which nothing else is told is offered too', () => {
  expect(predict('1080p', 'mp4', wide.slice(3), [1080, 358])).toMatchObject({
    reason: 'exact',
    best: { heightPixels: 1080 },
    taken: { heightPixels: 1080 },
  })
})

const opus = { audioCodec: 'opus', container: 'webm', bytes: 3 }
const aac = { audioCodec: 'aac', container: 'm4a', bytes: 2 }
const muxed = { ...aac, heightPixels: 360, videoCodec: 'h264' }

test.each<[Format, Offer[], Offer, boolean, string]>([
  ['m4a', [opus, aac], aac, true, 'aac, as it is'],
  ['mp3', [opus, aac], aac, true, 'aac, encoded anew'],
  ['opus', [opus, aac], opus, false, 'opus, as it is'],
  ['opus', [aac], aac, false, 'aac, encoded anew'],
  ['m4a', [opus], opus, true, 'opus, encoded anew'],
])('sound alone as %s of %j is %j', (format, sounds, taken, directPlay, explanation) => {
  const told = predict('best', format, [muxed, ...sounds])
  expect(told).toMatchObject({ reason: 'sound', best: sounds[0], taken, directPlay })
  expect(told?.explanation).toContain(explanation)
})

test('where no sound is offered alone, nothing is said of it', () => {
  const told = predict('best', 'm4a', [muxed])
  expect(told).toMatchObject({ reason: 'sound', directPlay: true })
  expect(told).not.toHaveProperty('taken')
})
