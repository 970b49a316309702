import { expect, test } from 'vitest'

import { FromDownloader, parseFrame } from '#contract/downloader-link.ts'

const said = (frame: unknown) => parseFrame(FromDownloader, JSON.stringify(frame))
const leased = { jobId: crypto.randomUUID(), lease: 1 }

test('what a newer downloader knows and this side does not is heard as far as it can be', () => {
  const failure = { code: 'site-on-strike', retryable: true }
  expect(said({ type: 'result', ...leased, outcome: { kind: 'failed', failure } })).toMatchObject({
    outcome: { failure: { code: 'unknown', retryable: true } },
  })
  const file = { name: 'a.mp4', bytes: 1, sha256: 'a'.repeat(64) }
  const warnings = [{ code: 'colours-off', detail: 'It is greener than it was.' }]
  const outcome = { kind: 'completed', file, plexPath: '/media/a.mp4', warnings }
  expect(said({ type: 'result', ...leased, outcome })).toMatchObject({
    outcome: { warnings: [{ code: 'finished-with-errors', detail: 'It is greener than it was.' }] },
  })
  const state = { freeBytes: 1, troubles: ['low-space', 'disk-on-fire'] }
  expect(said({ type: 'state', state })).toMatchObject({ state: { troubles: ['low-space', 'other'] } })
})

test('what is no message at all is not heard', () => {
  for (const frame of [{ type: 'result', ...leased }, { type: 'gossip' }, 'result', null])
    expect(said(frame)).toBeUndefined()
})
