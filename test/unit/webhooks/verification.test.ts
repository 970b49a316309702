import { expect, test } from 'vitest'

import { accept, byStandard, good, refusal, wrong } from './posts.ts'
import {
  createReceiver,
  fromOverseerr,
  fromPlex,
  hmacHex,
  overseerrPayload,
  plexPayload,
  secrets,
} from './receiver.ts'

test.each(Object.keys(good))('a good delivery from %s is stored, queued and acknowledged', async (source) => {
  const receiver = createReceiver()
  const acknowledgement = await accept(receiver, (good[source] ?? (() => fromPlex({})))())
  const [row] = receiver.rows.values()
  expect(acknowledgement).toEqual({ id: expect.stringMatching(/^wh_[0-9a-z]+$/), status: 'stored' })
  expect(row).toMatchObject({
    source,
    status: 'stored',
    attempts: 0,
    verdict: source === 'plex' || source === 'overseerr' ? 'authenticated' : 'verified',
  })
  expect(receiver.seen.queued).toEqual([row?.id])
  expect(receiver.seen.taken).toEqual([source])
  expect(receiver.seen.charged).toEqual([])
})

test.each(Object.keys(wrong))('%s gets the same 401, is charged, and leaves nothing', async (name) => {
  const receiver = createReceiver()
  expect(await refusal(receiver, (wrong[name] ?? (() => fromPlex({})))())).toBe('invalid-signature')
  expect(receiver.seen.charged).toEqual(['192.0.2.1'])
  expect(receiver.rows.size).toBe(0)
  expect(receiver.seen.queued).toEqual([])
})

test.each([
  ['the header as it is', 'an-overseerr-secret'],
  ['the other live secret', 'the-next-overseerr-secret'],
  ['a bearer token', 'Bearer an-overseerr-secret'],
  ['a password', `Basic ${btoa('medianest:an-overseerr-secret')}`],
])('Overseerr may send its secret as %s', async (_, authorization) => {
  const receiver = createReceiver()
  const post = fromOverseerr(overseerrPayload('MEDIA_AVAILABLE'), authorization)
  expect(await accept(receiver, post)).toMatchObject({ status: 'stored' })
})

test.each(['x-overseerr-signature', 'x-signature'])('a proxy may sign for Overseerr in %s', async (name) => {
  const receiver = createReceiver()
  const post = fromOverseerr(overseerrPayload('MEDIA_AVAILABLE'), '')
  const signature = hmacHex('an-overseerr-secret', post.body)
  await accept(receiver, { ...post, headers: { [name]: signature } })
  expect([...receiver.rows.values()]).toMatchObject([{ verdict: 'verified' }])
})

test('both live secrets of an address for Plex are good', async () => {
  for (const secret of secrets.plex) {
    const post = { ...fromPlex(plexPayload('library.new')), target: { kind: 'plex', secret } as const }
    expect(await accept(createReceiver(), post)).toMatchObject({ status: 'stored' })
  }
})

test('a source without a secret is not configured, and nobody is charged for that', async () => {
  const receiver = createReceiver({ secrets: { plex: [], overseerr: [], github: [], generic: {} } })
  for (const post of Object.values(good)) expect(await refusal(receiver, post())).toBe('not-configured')
  expect(receiver.seen.charged).toEqual([])
})

test('a secret that could verify nothing counts as none, and is told to the operator without its text', () => {
  const generic = { ci: ['whsec_not base64'] }
  const { seen } = createReceiver({ secrets: { ...secrets, generic } })
  expect(seen.log).toEqual([
    { level: 'warn', event: 'webhook-source-unusable', fields: { source: 'generic:ci' } },
  ])
})

test('a plain secret is never read as a key of Standard Webhooks, even if it could be', async () => {
  const plain = `plain0${secrets.generic.ci[0]?.slice('whsec_'.length)}`
  const receiver = createReceiver({ secrets: { ...secrets, generic: { ci: [plain] } } })
  expect(await refusal(receiver, byStandard('{}'))).toBe('invalid-signature')
})

test('no log line holds a secret or a signature', async () => {
  const receiver = createReceiver()
  for (const post of Object.values(good)) await accept(receiver, post())
  for (const post of Object.values(wrong)) await refusal(receiver, post())
  const log = JSON.stringify(receiver.seen.log)
  for (const secret of [...secrets.plex, ...secrets.overseerr, ...secrets.github, ...secrets.generic.nas]) {
    expect(log).not.toContain(secret)
  }
})
