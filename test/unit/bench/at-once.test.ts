import { expect, test } from 'vitest'

import { mostAtOnce } from '../../bench/at-once.ts'

type Data = { readonly phase?: string; readonly waitingFor?: string }

const told = (downloadId: string, what: string, data: Data = {}) => ({
  event: `youtube:${what}`,
  data: { downloadId, ...data },
})
const progress = (id: string, data: Data = { phase: 'downloading' }) => told(id, 'progress', data)
const whole = (id: string) => [
  told(id, 'processing', { phase: 'processing' }),
  progress(id, { phase: 'processing' }),
  told(id, 'processing', { phase: 'scanning' }),
  told(id, 'completed'),
  told(id, 'available'),
]

test('four downloads, two at a time, are two at once', () => {
  const created = ['a', 'b', 'c', 'd'].map((id) => told(id, 'created'))
  const first = [progress('a'), progress('b'), progress('a'), whole('a')].flat()
  const then = [progress('c'), progress('b'), whole('b'), progress('d'), whole('c'), whole('d')].flat()
  const frames = [...created, ...first, ...then]
  expect(mostAtOnce(frames)).toBe(2)
})

test('four together are four, however they end', () => {
  const ids = ['a', 'b', 'c', 'd']
  expect(mostAtOnce([...ids.map((id) => progress(id)), ...ids.flatMap(whole)])).toBe(4)
})

test.each(['failed', 'cancelled', 'retrying', 'completed'])(
  'one that has %s makes room for another',
  (end) => {
    expect(mostAtOnce([progress('a'), told('a', end), progress('b')])).toBe(1)
  },
)

test('one that only waits is not at work, and one that is scanned for is no more', () => {
  const waiting = progress('a', { waitingFor: 'downloader' })
  expect(mostAtOnce([waiting])).toBe(0)
  expect(mostAtOnce([progress('a'), waiting, progress('b')])).toBe(1)
  expect(mostAtOnce([progress('a'), told('a', 'processing', { phase: 'scanning' }), progress('b')])).toBe(1)
})

test('there is none where nothing was told', () => {
  expect(mostAtOnce([{ event: 'hello', data: { downloads: [] } }])).toBe(0)
})
