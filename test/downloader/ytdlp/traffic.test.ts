import { expect, test } from 'vitest'
import { createTraffic } from '../../../downloader/ytdlp/traffic.ts'

const now = Date.parse('2026-11-25T05:00:00Z')

function heard(...lines: readonly string[]): number | undefined {
  const traffic = createTraffic(() => now)
  for (const line of lines) traffic.hear(line)
  return traffic.retryAfterMs()
}

const refusal = "reply: 'HTTP/1.1 429 Too Many Requests\\r\\n'"
const answer = "reply: 'HTTP/1.1 200 OK\\r\\n'"

test.each([
  ['seconds', ['header: Server: x', 'header: Retry-After: 37'], 37_000],
  ['a date', ['header: retry-after: Wed, 25 Nov 2026 05:02:00 GMT'], 120_000],
  ['a date that is past', ['header: Retry-After: Wed, 25 Nov 2026 04:00:00 GMT'], 0],
  ['nothing', ['header: Server: x'], undefined],
  ['nonsense', ['header: Retry-After: soon', 'header: Retry-After: -1'], undefined],
  ['the last of two', ['header: Retry-After: 5', refusal, 'header: Retry-After: 7'], 7000],
] as const)('a refusal that names %s', (_what, lines, expected) => {
  expect(heard(refusal, ...lines)).toBe(expected)
})

test('each refusal is told, and nothing else', () => {
  let refusals = 0
  const traffic = createTraffic(
    () => now,
    () => (refusals += 1),
  )
  for (const line of [answer, refusal, 'header: Retry-After: 5', refusal, ` ${refusal}`]) traffic.hear(line)
  expect(refusals).toBe(2)
})

test('only a refusal for too many requests counts, and no page can make one', () => {
  expect(heard(answer, 'header: Retry-After: 37')).toBeUndefined()
  expect(heard(refusal, answer, 'header: Retry-After: 37')).toBeUndefined()
  expect(heard(refusal, ' header: Retry-After: 37', 'WARNING: header: Retry-After: 37')).toBeUndefined()
})
