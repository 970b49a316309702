import { expect, test } from 'vitest'
import * as z from 'zod'

import { Problem } from '#contract/problem.ts'

import type { LogFields } from '../../../src/http/env.ts'
import { createLogger } from '../../../src/platform/logger.ts'

const noon = Date.parse('2026-11-01T12:00:00Z')

function logged(fields?: LogFields): { readonly line: string; readonly entry: Record<string, unknown> } {
  const lines: string[] = []
  createLogger(
    (line) => lines.push(line),
    () => noon,
  )('info', 'something', fields)
  expect(lines).toHaveLength(1)
  const [line = ''] = lines
  return { line, entry: z.record(z.string(), z.unknown()).parse(JSON.parse(line)) }
}

test('a line is one JSON object with its time, level and event', () => {
  const { line, entry } = logged({ text: 'two\nlines', count: 3 })
  expect(line).not.toContain('\n')
  expect(entry).toEqual({
    at: '2026-11-01T12:00:00.000Z',
    level: 'info',
    event: 'something',
    text: 'two\nlines',
    count: 3,
  })
})

test('what is named like a secret is not written, however deep it lies', () => {
  const names = [
    'token',
    'accessToken',
    'X-Plex-Token',
    'client_secret',
    'Authorization',
    'set-cookie',
    'apiKey',
    'email',
  ]
  for (const name of names) {
    expect(logged({ [name]: 'canary' }).line, name).not.toContain('canary')
    expect(logged({ deep: [{ deeper: { [name]: 'canary' } }] }).line, name).not.toContain('canary')
  }
})

test('what looks like a secret is not written, wherever it stands', () => {
  const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'
  const secrets = [
    [`Bearer ${jwt}`, jwt],
    ['Basic dXNlcjpwYXNz', 'dXNlcjpwYXNz'],
    [`mnr_1_00000000-0000-4000-8000-000000000000_${'s'.repeat(43)}`, 's'.repeat(43)],
    ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'],
    ['https://plex.example/?a=1&X-Plex-Token=canary&b=2', 'canary'],
    ['https://medianest.example/api/live?ticket=canary', 'canary'],
  ] as const
  for (const [text, secret] of secrets) {
    const { line } = logged({ note: `before ${text} after`, list: [text] })
    expect(line, text).not.toContain(secret)
    expect(line).toContain('before')
  }
  expect(logged({ note: 'https://plex.example/?a=1&X-Plex-Token=canary&b=2' }).line).toContain('b=2')
})

test('an error of ours is quoted, any other is named and located only', () => {
  const ours = logged({ cause: new Problem('not-found') }).entry['cause']
  expect(ours).toMatchObject({ name: 'Problem', message: 'not-found' })

  const { line, entry } = logged({ cause: new SyntaxError('Unexpected "canary"\n    of canary\nat canary') })
  expect(line).not.toContain('canary')
  expect(entry['cause']).toMatchObject({ name: 'SyntaxError' })
  const { stack } = z.object({ stack: z.array(z.string()) }).parse(entry['cause'])
  expect(stack[0]).toMatch(/^at .*logger\.test\.ts:\d+:\d+/)
  expect(stack.length).toBeLessThanOrEqual(10)
})

test('what a parser or a schema read is not in the log', () => {
  const failures = [
    () => JSON.parse('{"authToken":"canary'),
    () => JSON.parse('canary'),
    () => z.strictObject({ a: z.literal('b') }).parse({ a: 'canary', canary: 1 }),
    () => z.url().parse('canary'),
    () => new URL('canary'),
  ]
  for (const fail of failures) {
    try {
      fail()
      throw new Error('it did not fail')
    } catch (cause) {
      const { line } = logged({ cause })
      expect(line).not.toContain('canary')
      expect(line).not.toContain('it did not fail')
      expect(line).toContain('"stack":["at ')
    }
  }
})

test('a long text is cut', () => {
  expect(logged({ text: 'x'.repeat(100_000) }).line.length).toBeLessThan(3_000)
})
