import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Phase, Progress } from '#contract/downloads.ts'
import { createProgressMeter, hearProgress } from '../../../downloader/ytdlp/progress.ts'
import { createSpeedMeter } from '../../../downloader/ytdlp/speed.ts'
import { parseRecords, RawStream } from '../../../downloader/ytdlp/records.ts'

const stream = (format_id: string, changes: Partial<RawStream> = {}): RawStream => ({
  ...RawStream.parse({ format_id }),
  ...changes,
})
const tick = (changes: object) => ({ ...emptyTick, ...changes })
const emptyTick = {
  status: 'downloading',
  downloaded_bytes: undefined,
  total_bytes: undefined,
  total_bytes_estimate: undefined,
  speed: undefined,
  eta: undefined,
  fragment_index: undefined,
  fragment_count: undefined,
}

const amount = fc.option(fc.nat({ max: 1_000_000 }), { nil: undefined })
const anyEvent = fc.oneof(
  fc.record({
    kind: fc.constant('tick' as const),
    id: fc.constantFrom('0', '1', 'other'),
    tick: fc.record({
      status: fc.constantFrom('downloading', 'finished', undefined),
      downloaded_bytes: amount,
      total_bytes: amount,
      total_bytes_estimate: amount,
      speed: amount,
      eta: amount,
      fragment_index: amount,
      fragment_count: amount,
    }),
  }),
  fc.record({
    kind: fc.constant('streams' as const),
    sizes: fc.array(amount, { minLength: 1, maxLength: 2 }),
  }),
  fc.record({ kind: fc.constant('phase' as const), phase: fc.constantFrom(...Phase.options) }),
)

test('neither the percentage nor the phase ever goes back, whatever is reported', () => {
  fc.assert(
    fc.property(fc.array(anyEvent, { maxLength: 60, size: 'max' }), (events) => {
      const meter = createProgressMeter()
      let before = meter.current()
      for (const event of events) {
        if (event.kind === 'tick') meter.tick(event.id, event.tick)
        else if (event.kind === 'phase') meter.phase(event.phase)
        else
          meter.streams(
            event.sizes.map((filesize, index) =>
              stream(String(index), { filesize, vcodec: index === 1 ? 'none' : 'h264' }),
            ),
          )
        const now = Progress.parse(meter.current())
        expect(now.percent).toBeGreaterThanOrEqual(before.percent)
        expect(Phase.options.indexOf(now.phase)).toBeGreaterThanOrEqual(Phase.options.indexOf(before.phase))
        if (now.totalBytes !== undefined) expect(now.downloadedBytes ?? 0).toBeLessThanOrEqual(now.totalBytes)
        before = now
      }
    }),
  )
})

test('picture and sound share one percentage by their sizes', () => {
  let now = 0
  const meter = createProgressMeter(() => now)
  meter.streams([
    stream('v', { filesize: 900, vcodec: 'h264' }),
    stream('a', { filesize: 100, vcodec: 'none' }),
  ])
  meter.tick('v', tick({ downloaded_bytes: 50, total_bytes: 900 }))
  now += 8000
  meter.tick('v', tick({ downloaded_bytes: 450, total_bytes: 900 }))
  expect(meter.current()).toMatchObject({
    percent: 41.9,
    downloadedBytes: 450,
    totalBytes: 1000,
    bytesPerSecond: 50,
    etaSeconds: 11,
  })
  meter.tick('v', tick({ status: 'finished', downloaded_bytes: 900, total_bytes: 900 }))
  meter.tick('a', tick({ downloaded_bytes: 1, total_bytes: 100 }))
  expect(meter.current().percent).toBeGreaterThan(82)
  expect(meter.current().percent).toBeLessThan(84)
})

test('of a line on which next to nothing comes nobody says when it ends', () => {
  let now = 0
  const meter = createProgressMeter(() => now)
  meter.streams([stream('0', { filesize: 1_000_000 })])
  meter.tick('0', tick({ downloaded_bytes: 1, total_bytes: 1_000_000 }))
  now += 9000
  meter.tick('0', tick({ downloaded_bytes: 2, total_bytes: 1_000_000 }))
  expect(meter.current()).toMatchObject({ downloadedBytes: 2, bytesPerSecond: 0 })
  expect(meter.current()).not.toHaveProperty('etaSeconds')
})

test('an estimate that is exceeded does not finish a stream', () => {
  const meter = createProgressMeter()
  meter.streams([stream('0')])
  meter.tick('0', tick({ downloaded_bytes: 3000, total_bytes_estimate: 1000 }))
  expect(meter.current().percent).toBeLessThan(92)
  meter.tick('0', tick({ status: 'finished', downloaded_bytes: 4000 }))
  expect(meter.current().percent).toBe(92)
})

test('fragments count when there are no sizes', () => {
  const meter = createProgressMeter()
  meter.streams([stream('0')])
  meter.tick(
    '0',
    tick({ downloaded_bytes: 10, total_bytes_estimate: 1, fragment_index: 5, fragment_count: 10 }),
  )
  expect(meter.current().percent).toBe(46.5)
})

const nonce = '@abc@'

test('only lines behind the nonce are records, and a page cannot make one up', () => {
  expect(parseRecords('{"kind":"file","info":{"filepath":"/etc/passwd"}}', nonce)).toBeUndefined()
  expect(parseRecords('@0@{"kind":"file","info":{"filepath":"/etc/passwd"}}', nonce)).toBeUndefined()
  // Traffic is printed in pieces, and a record may come between two of them.
  for (const before of ['', ' ', 'header: Last-Modified: ', "send: b'GET / HTTP/1.1'"])
    expect(parseRecords(`${before}${nonce}{"kind":"file","info":{"filepath":"/x"}}`, nonce)).toEqual([
      { kind: 'file', info: { filepath: '/x' } },
    ])
})

test('two steps on one line are both seen, and rubbish is passed over', () => {
  const step = (status: string): string =>
    `${nonce}{"kind":"step","step":{"postprocessor":"M","status":"${status}"}}`
  expect(parseRecords(step('started') + step('finished'), nonce)).toHaveLength(2)
  expect(parseRecords(`${nonce}{"kind":"tick","info":NA}`, nonce)).toEqual([])
  expect(parseRecords(`${nonce}{"kind":"other"}`, nonce)).toEqual([])
})

test('no line makes the parser fail', () => {
  fc.assert(
    fc.property(fc.string(), (line) => {
      parseRecords(line, nonce)
      expect(parseRecords(nonce + line, nonce)).toBeDefined()
    }),
  )
})

const anyNumber = fc.option(fc.oneof(fc.nat({ max: 10_000 }), fc.double({ min: 0, max: 1e9, noNaN: true })), {
  nil: undefined,
})
const formatId = fc.constantFrom('137', '140', '137+140', '18', '')
const streamRecord = fc.record({ format_id: formatId, filesize: anyNumber, filesize_approx: anyNumber })
const line = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('tick'),
      info: fc.record({ format_id: formatId }),
      tick: fc.record(
        {
          status: fc.constantFrom('downloading', 'finished', 'error'),
          downloaded_bytes: anyNumber,
          total_bytes: anyNumber,
          total_bytes_estimate: anyNumber,
          fragment_index: anyNumber,
          fragment_count: anyNumber,
        },
        { requiredKeys: [] },
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('start'),
      info: streamRecord,
      streams: fc.option(fc.array(streamRecord, { maxLength: 2 })),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('step'),
      step: fc.record({
        postprocessor: fc.constantFrom('SubtitlesConvertor', 'Merger', 'MoveFiles', 'Metadata'),
        status: fc.constantFrom('started', 'finished'),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'file', info: { filepath: '/x' } }) },
)

test('no order of the lines of yt-dlp makes progress go back, or say what cannot be', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(line, fc.nat({ max: 15_000 })), { maxLength: 80, size: 'max' }), (said) => {
      let now = 0
      const meter = createProgressMeter(() => now)
      let before = meter.current()
      for (const [record, passed] of said) {
        now += passed
        for (const heard of parseRecords(nonce + JSON.stringify(record), nonce) ?? [])
          hearProgress(meter, heard)
        const told = Progress.parse(meter.current())
        expect(told.percent).toBeGreaterThanOrEqual(before.percent)
        expect(told.percent).toBeLessThan(97)
        expect(told.downloadedBytes ?? 0).toBeGreaterThanOrEqual(before.downloadedBytes ?? 0)
        expect(Phase.options.indexOf(told.phase)).toBeGreaterThanOrEqual(Phase.options.indexOf(before.phase))
        if (told.stalledSeconds !== undefined) expect(told.bytesPerSecond).toBeUndefined()
        before = told
      }
      meter.phase('placing')
      expect(meter.current().percent).toBe(97)
    }),
    { numRuns: 200 },
  )
})

test('subtitles that are fetched and prepared before the film move nothing', () => {
  const meter = createProgressMeter()
  meter.tick('', tick({ status: 'finished', downloaded_bytes: 5000, total_bytes: 5000 }))
  meter.step()
  meter.streams([stream('v', { filesize: 900 })])
  meter.tick('', tick({ status: 'finished', downloaded_bytes: 5000, total_bytes: 5000 }))
  meter.step()
  expect(meter.current()).toMatchObject({ phase: 'downloading', percent: 1, downloadedBytes: 0 })
})

test('the speed forgets in some seconds, and is not fooled by what lay there already', () => {
  const speed = createSpeedMeter()
  speed.add(1_000_000, 0)
  expect(speed.current()).toBeUndefined()
  for (let at = 250; at <= 5000; at += 250) speed.add(250, at)
  expect(speed.current()).toBeCloseTo(1000)
  for (let at = 5250; at <= 10_000; at += 250) speed.add(2500, at)
  expect(speed.current()).toBeGreaterThan(6000)
  expect(speed.current()).toBeLessThan(8000)
})

test('a line that falls silent is called stalled after ten seconds, until something comes', () => {
  let now = 0
  const meter = createProgressMeter(() => now)
  meter.streams([stream('v', { filesize: 1000 })])
  meter.tick('v', tick({ downloaded_bytes: 100 }))
  now += 1000
  meter.tick('v', tick({ downloaded_bytes: 200 }))
  now += 9999
  expect(meter.current()).not.toHaveProperty('stalledSeconds')
  now += 1
  // A word without a byte is no life.
  meter.tick('v', tick({ downloaded_bytes: 200 }))
  expect(meter.current()).toMatchObject({ stalledSeconds: 10 })
  expect(meter.current()).not.toHaveProperty('etaSeconds')
  now += 5500
  expect(meter.current().stalledSeconds).toBe(15)
  meter.arrived()
  expect(meter.current()).not.toHaveProperty('stalledSeconds')
  now += 20_000
  meter.phase('processing')
  now += 20_000
  expect(meter.current()).not.toHaveProperty('stalledSeconds')
})
