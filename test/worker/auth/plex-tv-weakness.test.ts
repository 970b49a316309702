import { afterEach, expect, test } from 'vitest'

import { askUnder } from '../support/app.ts'
import { forgetFailures } from '../support/breakers.ts'
import { expectProblem, freshAddress, startPin } from '../support/client.ts'
import { clearFaults, control, fault, type Fault } from '../support/world.ts'

/** Short of patience with plex.tv, and never so disappointed that it stops to ask. */
const ask = askUnder({ PLEX_TV_TIMEOUT_MS: '300', BREAKER_FAILURES: '1000' })

afterEach(async () => {
  await clearFaults()
  await forgetFailures('plex.tv')
})

const json = { 'content-type': 'application/json' }
const weaknesses: Readonly<Record<string, Omit<Fault, 'path'>>> = {
  'refuses too many, and says for how long': {
    kind: 'status',
    status: 429,
    headers: { ...json, 'retry-after': '30' },
  },
  'refuses too many': { kind: 'status', status: 429, headers: json, body: '{"errors":[{"code":1003}]}' },
  'is broken': { kind: 'status', status: 500 },
  'is away': { kind: 'status', status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2065 07:28:00 GMT' } },
  'does not want us': { kind: 'status', status: 403 },
  'sends us elsewhere': { kind: 'status', status: 302, headers: { location: 'https://evil.example/' } },
  'says nothing': { kind: 'hang' },
  'hangs up': { kind: 'reset' },
  'shows a page': { kind: 'html' },
  'stops in the middle': { kind: 'truncate' },
  'sends half a document': { kind: 'status', status: 200, headers: json, body: '{"id":1,"authToken":"cana' },
  'sends another document': { kind: 'wrong-types' },
}

test.for(Object.entries(weaknesses))(
  'plex.tv %s: a sign-in cannot start, and says when to try again',
  async ([, how]) => {
    await fault('plexTvUrl', { ...how, path: '^/api/v2/pins$' })
    const response = await ask('POST', '/api/auth/plex/pin', { json: {}, headers: freshAddress() })
    const { retryAfter } = await expectProblem(response, 'plex-tv-unavailable')
    expect(Number(retryAfter)).toBeGreaterThanOrEqual(how.headers?.['retry-after'] === '30' ? 30 : 5)
    expect(Number(retryAfter)).toBeLessThanOrEqual(3_600)
  },
)

test.for(Object.entries(weaknesses))(
  'plex.tv %s: an approved sign-in is not lost, whichever question fails',
  async ([, how]) => {
    const headers = freshAddress()
    const pin = await startPin(headers)
    await control('plexTvUrl', 'claim', { code: pin.code, username: 'frank' })
    const poll = () =>
      ask('GET', `/api/auth/plex/pin/${pin.id}`, { headers: { ...headers, 'x-pin-secret': pin.pinSecret } })
    for (const path of ['^/api/v2/pins/', '^/api/v2/user$', '^/api/v2/resources$']) {
      await fault('plexTvUrl', { ...how, path })
      await expectProblem(await poll(), 'plex-tv-unavailable')
      await clearFaults()
    }
    expect((await poll()).status).toBe(200)
  },
)

test('one weak answer among good ones goes unnoticed', async () => {
  const headers = freshAddress()
  const pin = await startPin(headers)
  await control('plexTvUrl', 'claim', { code: pin.code, username: 'frank' })
  await fault('plexTvUrl', { kind: 'status', status: 502, times: 1 })
  const response = await ask('GET', `/api/auth/plex/pin/${pin.id}`, {
    headers: { ...headers, 'x-pin-secret': pin.pinSecret },
  })
  expect(response.status).toBe(200)
})
