import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Phase, Progress } from '#contract/downloads.ts'
import { createProgressMeter } from '../../../downloader/ytdlp/progress.ts'
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
    fc.property(fc.array(anyEvent, { maxLength: 60 }), (events) => {
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
  const meter = createProgressMeter()
  meter.streams([
    stream('v', { filesize: 900, vcodec: 'h264' }),
    stream('a', { filesize: 100, vcodec: 'none' }),
  ])
  meter.tick('v', tick({ downloaded_bytes: 450, total_bytes: 900, speed: 50 }))
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
  expect(parseRecords(`[download] ${nonce}{"kind":"file","info":{"filepath":"/x"}}`, nonce)).toBeUndefined()
  expect(parseRecords(`${nonce}{"kind":"file","info":{"filepath":"/x"}}`, nonce)).toEqual([
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
