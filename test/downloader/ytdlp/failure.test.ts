import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Failure, failureCodes, isRetryable, type FailureCode } from '#contract/failures.ts'
import {
  askedPauseMs,
  classifyError,
  classifyRun,
  createFailure,
  evidenceOf,
} from '../../../downloader/ytdlp/failure.ts'
import { corpus, youtube } from './failure-corpus.ts'

test.each(corpus)('%s: %s', (code, line) => {
  const evidence = line.startsWith('WARNING')
    ? { errors: [youtube('Requested format is not available')], warnings: [line] }
    : { errors: [line], warnings: [] }
  expect(classifyRun({ exitCode: 1, ...evidence })).toBe(code)
})

test('a warning explains an error that says little, and does not overrule one that says much', () => {
  const warnings = ['WARNING: [youtube] dQw4w9WgXcQ: n challenge solving failed: Some formats may be missing']
  expect(classifyRun({ exitCode: 1, errors: [youtube('Requested format is not available')], warnings })).toBe(
    'js-runtime-missing',
  )
  expect(classifyRun({ exitCode: 1, errors: [youtube('Private video')], warnings })).toBe('private')
})

test('without a word, the way it ended decides', () => {
  const silent = { errors: [], warnings: [] }
  expect(classifyRun({ ...silent, signal: 'SIGKILL' })).toBe('killed')
  expect(classifyRun({ ...silent, exitCode: 2 })).toBe('ytdlp-outdated')
  expect(classifyRun({ ...silent, exitCode: 1 })).toBe('unknown')
})

test('what nobody knows is told apart by how it ended, and by a warning before it', () => {
  const odd = { errors: ['ERROR: [x] something odd'], warnings: [] }
  expect(classifyRun({ ...odd, exitCode: 1 })).toBe('unknown')
  expect(classifyRun({ ...odd, signal: 'SIGKILL' })).toBe('killed')
  const warnings = ['WARNING: [youtube] The uploader has not made this video available in your country']
  expect(classifyRun({ ...odd, warnings })).toBe('geo-blocked')
})

test('the errors of the system have codes of their own', () => {
  const error = (code: string): Error => Object.assign(new Error('x'), { code })
  expect(
    ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'ENAMETOOLONG'].map((code) => classifyError(error(code))),
  ).toEqual(['no-space', 'no-space', 'permission', 'permission', 'name-too-long'])
  expect(classifyError(new Error('boom'))).toBe('unknown')
})

test('every code is told from a text, or by a step of our own or of the queue', () => {
  const ownSteps: readonly FailureCode[] = [
    'killed',
    'stalled',
    'too-large',
    'skipped',
    'ytdlp-missing',
    'refused-address',
    'quota-exceeded',
  ]
  const told = new Set<FailureCode>([...corpus.map(([code]) => code), ...ownSteps])
  expect(failureCodes.filter((code) => !told.has(code))).toEqual([])
})

test('every failure fits the contract and says nothing of the site or the disk', () => {
  for (const code of failureCodes) {
    const line = 'ERROR: [generic] x: HTTP Error 403 at https://media.example/a?sig=b in /videos/a.mp4'
    const failure = createFailure(code, {
      retryAt: new Date(0),
      evidence: evidenceOf({ errors: [line], warnings: [] }),
    })
    expect(Failure.parse(failure)).toEqual(failure)
    expect(failure.advice).toMatch(/^\S.{15,}\.$/)
    expect(failure).toMatchObject({ retryable: isRetryable(code), retryAt: '1970-01-01T00:00:00.000Z' })
    expect(JSON.stringify(failure)).not.toMatch(/https?:|\/\w+\/|Errno/)
  }
})

test('the evidence holds the last distinct warnings and errors, the reason among them', () => {
  const numbered = (kind: string, from = 0) =>
    Array.from({ length: 5 - from }, (_, n) => `${kind}: number ${n + from}`)
  const evidence = evidenceOf({ errors: numbered('ERROR'), warnings: numbered('WARNING') })
  expect(evidence).toEqual([...numbered('WARNING', 2), ...numbered('ERROR', 2)])
  const lines = ['ERROR: at https://a.example/1', 'ERROR: at https://a.example/2']
  expect(evidenceOf({ errors: lines, warnings: [] })).toEqual(['ERROR: at <url>'])
  expect(evidenceOf({ errors: [], warnings: numbered('WARNING') })).toHaveLength(5)
})

test('the evidence ends with our own word, and with why a video was passed over when that was no error', () => {
  const warnings = ['WARNING: w']
  const said = { errors: ['ERROR: 1', 'ERROR: 2', 'ERROR: 3'], warnings }
  expect(evidenceOf(said, [], '100 s expected, 57.3 s found')).toEqual([
    'WARNING: w',
    'ERROR: 2',
    'ERROR: 3',
    '100 s expected, 57.3 s found',
  ])
  const skipped = '[download] A film does not pass filter (duration > 9999), skipping ..'
  expect(evidenceOf({ errors: [], warnings, skipped })).toEqual(['WARNING: w', skipped])
  expect(evidenceOf({ ...said, skipped })).not.toContain(skipped)
})

test('YouTube says itself how long it wants to be left alone', () => {
  const said = corpus.flatMap(([, line]) => askedPauseMs({ errors: [line], warnings: [] }) ?? [])
  expect(said).toEqual([3_600_000, 3_600_000])
})

test('no text makes the classification fail', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.array(fc.string()), (errors, warnings) => {
      expect(failureCodes).toContain(classifyRun({ exitCode: 1, errors, warnings }))
    }),
  )
})
