import fc from 'fast-check'
import { expect, test } from 'vitest'

import { downloaderIds, jobIds, Model } from './lease-model.ts'
import type { Kind } from './lease-sides.ts'

type Step = (model: Model) => void
/** Rather not so long that everybody has lost everything. */
const pause = fc.oneof(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 90_000 }))
const downloader = fc.constantFrom(...downloaderIds)
const kind = fc.constantFrom<Kind>(
  'completed',
  'completed',
  'returned',
  'network',
  'forbidden',
  'bot-check',
  'rate-limited',
  'geo-blocked',
  'no-space',
  'live-processing',
  'private',
)
const work: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(downloader, fc.boolean(), fc.nat(), fc.boolean()).map(
    ([id, willing, index, repeated]): Step =>
      (model) =>
        model.takeOffer(id, willing, index, repeated),
  ),
  fc.tuple(downloader, kind).map(
    ([id, how]): Step =>
      (model) =>
        model.finish(id, how),
  ),
  downloader.map(
    (id): Step =>
      (model) =>
        model.listen(id),
  ),
)
const trouble: fc.Arbitrary<Step> = fc.oneof(
  downloader.map(
    (id): Step =>
      (model) =>
        model.connect(id),
  ),
  fc.tuple(downloader, fc.boolean()).map(
    ([id, noticed]): Step =>
      (model) =>
        model.disconnect(id, noticed),
  ),
  downloader.map(
    (id): Step =>
      (model) =>
        model.wipe(id),
  ),
  pause.map(
    (ms): Step =>
      (model) =>
        model.pass(ms),
  ),
  fc.nat().map(
    (index): Step =>
      (model) =>
        model.repeat(index),
  ),
  fc.boolean().map(
    (paused): Step =>
      (model) =>
        model.pause(paused),
  ),
  fc.constantFrom(...jobIds).map(
    (id): Step =>
      (model) =>
        model.cancel(id),
  ),
  fc
    .tuple(
      downloader,
      fc.constantFrom('films.example', 'clips.example'),
      fc.constantFrom('pace', 'bot-check'),
      fc.integer({ max: 20_000 }),
    )
    .map(
      ([id, site, reason, ms]): Step =>
        (model) =>
          model.block(id, { site, reason }, ms),
    ),
)
const connected: Step = (model) => downloaderIds.forEach((id) => model.connect(id))

test('no job is lost, done twice or held twice, and no limit exceeded, whatever the network and the sites do', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(work, work, trouble), { minLength: 1, maxLength: 80, size: 'max' }),
      (steps) => {
        const model = new Model()
        for (const take of [connected, ...steps]) {
          take(model)
          model.check()
        }
        model.heal()
        expect([...model.ended.keys()].toSorted()).toEqual(jobIds)
      },
    ),
    { numRuns: 400 },
  )
})

test('as long as nobody cancels and nothing is for ever, every job is completed by somebody', () => {
  const passing = fc.constantFrom<Kind>('completed', 'returned', 'no-space', 'live-processing')
  const step = fc.oneof(
    downloader.map(
      (id): Step =>
        (model) =>
          model.takeOffer(id, true),
    ),
    fc.tuple(downloader, passing).map(
      ([id, how]): Step =>
        (model) =>
          model.finish(id, how),
    ),
    downloader.map(
      (id): Step =>
        (model) =>
          model.listen(id),
    ),
    pause.map(
      (ms): Step =>
        (model) =>
          model.pass(ms),
    ),
    downloader.map(
      (id): Step =>
        (model) =>
          model.connect(id),
    ),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (steps) => {
      const model = new Model()
      for (const take of [connected, ...steps]) take(model)
      model.heal()
      expect([...model.ended.values()].every((end) => end === 'completed' || end === 'shared')).toBe(true)
      expect(model.ended.size).toBe(jobIds.length)
    }),
    { numRuns: 100 },
  )
})
