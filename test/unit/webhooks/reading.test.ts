import fc from 'fast-check'
import { expect, test } from 'vitest'

import { accept, byHex, push, refusal } from './posts.ts'
import {
  createReceiver,
  fromGitHub,
  fromOverseerr,
  fromPlex,
  machineIdentifier,
  payloadPart,
  plexPayload,
  thumbPart,
  type Post,
} from './receiver.ts'

test('GitHub may send a form, signed as it is', async () => {
  const receiver = createReceiver()
  const body = `payload=${encodeURIComponent(JSON.stringify(push))}`
  const post = fromGitHub('push', body)
  const headers = { ...post.headers, 'content-type': 'application/x-www-form-urlencoded' }
  await accept(receiver, { ...post, headers })
  expect([...receiver.rows.values()]).toMatchObject([
    { kept: { repository: 'octo/cat', branch: 'main', commits: 2 } },
  ])
})

test.each([
  ['GitHub, not JSON', () => fromGitHub('push', 'Hello, World!')],
  ['GitHub, not an object', () => fromGitHub('push', '[]')],
  ['GitHub, empty', () => fromGitHub('push', '')],
  ['GitHub, no event', () => fromGitHub('', push)],
  [
    'GitHub, a form with two payloads',
    () => {
      const post = fromGitHub('push', 'payload={}&payload={}')
      return { ...post, headers: { ...post.headers, 'content-type': 'application/x-www-form-urlencoded' } }
    },
  ],
  ['Overseerr, no type', () => fromOverseerr({ subject: 'x' })],
  ['Overseerr, null', () => fromOverseerr('null')],
  ['generic, a text', () => byHex('"text"')],
  ['Plex, two payloads', () => fromPlex({}, [payloadPart(plexPayload('a')), payloadPart(plexPayload('b'))])],
  ['Plex, no payload', () => fromPlex({}, [thumbPart])],
  ['Plex, broken JSON', () => fromPlex('{"event":')],
  ['Plex, no event', () => fromPlex(plexPayload('x', { event: undefined }))],
  ['Plex, no boundary', () => ({ ...fromPlex({}), headers: { 'content-type': 'multipart/form-data' } })],
  [
    'Plex, another boundary',
    () => ({ ...fromPlex({}), headers: { 'content-type': 'multipart/form-data; boundary=x' } }),
  ],
  [
    'Plex, JSON instead of a form',
    () => ({ ...fromPlex({}), headers: { 'content-type': 'application/json' }, body: '{}' }),
  ],
  ['Plex, nothing', () => ({ ...fromPlex({}), body: '' })],
  [
    'Plex, cut off',
    () => ({ ...fromPlex({}), body: '--------------------------d74496d66958873e\r\nContent-Dis' }),
  ],
] as [string, () => Post][])('what is verified but malformed is a 400: %s', async (_, post) => {
  const receiver = createReceiver()
  expect(await refusal(receiver, post())).toBe('invalid-request')
  expect(receiver.seen.charged).toEqual([])
  expect(receiver.rows.size).toBe(0)
})

test.each([
  ['payload first', [payloadPart(plexPayload('library.new')), thumbPart]],
  ['thumb first', [thumbPart, payloadPart(plexPayload('library.new'))]],
  [
    'payload as a file',
    [
      payloadPart(plexPayload('library.new')).replace(
        'name="payload"',
        'name="payload"; filename="payload.json"',
      ),
    ],
  ],
])('a form from Plex is read whatever its order: %s', async (_, parts) => {
  const receiver = createReceiver()
  await accept(receiver, fromPlex({}, parts))
  expect([...receiver.rows.values()]).toMatchObject([
    { event: 'library.new', kept: { libraryKey: '2', ratingKey: '1936545' } },
  ])
})

const hostile = fc.oneof(
  fc.json({ maxDepth: 6 }),
  fc.string({ unit: 'binary' }),
  fc.constant(`${'['.repeat(20_000)}${']'.repeat(20_000)}`),
  fc
    .record(
      Object.fromEntries(
        [
          'notification_type',
          'event',
          'subject',
          'media',
          'request',
          'extra',
          'Metadata',
          'Account',
          'ref',
          'commits',
        ].map((name) => [name, fc.jsonValue({ maxDepth: 3 })]),
      ),
      { requiredKeys: [] },
    )
    .map((value) => JSON.stringify({ ...value, Server: { uuid: machineIdentifier } })),
)

test('whatever a verified sender says is stored or is a 400, never a failure of ours', async () => {
  await fc.assert(
    fc.asyncProperty(hostile, async (body) => {
      for (const post of [fromGitHub('push', body), fromOverseerr(body), byHex(body)]) {
        expect(['admitted', 'invalid-request']).toContain(await refusal(createReceiver(), post))
      }
      // With Plex, the body may also fail to name our server.
      const answers = ['admitted', 'invalid-request', 'invalid-signature']
      expect(answers).toContain(await refusal(createReceiver(), fromPlex(body)))
    }),
    { numRuns: 150 },
  )
})
