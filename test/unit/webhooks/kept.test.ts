import fc from 'fast-check'
import { expect, test } from 'vitest'

import type { Kept } from '../../../src/webhooks/delivery.ts'
import { tidy } from '../../../src/webhooks/fields.ts'
import {
  createReceiver,
  fromGitHub,
  fromOverseerr,
  fromPlex,
  incoming,
  overseerrPayload,
  plexPayload,
  type Post,
} from './receiver.ts'

async function keptOf(post: Post): Promise<Kept> {
  const { webhooks, rows } = createReceiver()
  await webhooks.receive(post.target, incoming(post))
  const [row] = rows.values()
  if (!row) throw new Error('Nothing stored')
  return row.kept
}

test('of each source no more is kept than its list says', async () => {
  expect(await keptOf(fromOverseerr(overseerrPayload('MEDIA_AVAILABLE')))).toEqual({
    title: 'The Matrix (1999)',
    mediaType: 'movie',
    tmdbId: '603',
    requestId: '12',
  })
  expect(await keptOf(fromPlex(plexPayload('library.new')))).toEqual({
    libraryKey: '2',
    ratingKey: '1936545',
    title: 'Pilot',
    grandparentTitle: 'A Show',
    type: 'episode',
  })
  expect(await keptOf(fromPlex(plexPayload('media.stop')))).toMatchObject({ user: 'elan' })
  const release = {
    action: 'published',
    release: { tag_name: 'v1.2.3', author: { email: 'x@example.com' } },
    repository: { full_name: 'octo/cat' },
    sender: { avatar_url: 'https://avatars.example.com/1' },
  }
  expect(await keptOf(fromGitHub('release', release))).toEqual({
    action: 'published',
    repository: 'octo/cat',
    tag: 'v1.2.3',
  })
})

const marked = (name: string) => fc.uuid().map((id) => `${name}-${id}`)
const personal = fc.record({
  email: fc.emailAddress(),
  avatar: marked('avatar').map((name) => `https://plex.tv/users/${name}/avatar`),
  token: marked('token'),
  publicAddress: fc.ipV6().filter((address) => address.length > 6),
})

test('no e-mail address, avatar, token or address of a person is kept, wherever a sender put it', async () => {
  await fc.assert(
    fc.asyncProperty(personal, async ({ email, avatar, token, publicAddress }) => {
      const request = {
        request_id: '12',
        requestedBy_email: email,
        requestedBy_avatar: avatar,
        requestedBy_settings_telegramChatId: token,
      }
      const comment = { comment_message: email, commentedBy_email: email, commentedBy_avatar: avatar }
      const posts = [
        fromOverseerr(
          overseerrPayload('MEDIA_PENDING', { request, comment, token, subject: `For ${email}` }),
        ),
        fromPlex(
          plexPayload('media.play', {
            Account: { id: 1, thumb: avatar, title: email, authToken: token },
            Player: { publicAddress, title: token, uuid: token },
          }),
        ),
        fromGitHub('push', {
          ref: 'refs/heads/main',
          repository: { full_name: 'octo/cat', owner: { email } },
          pusher: { email, name: token },
          sender: { avatar_url: avatar },
          commits: [{ author: { email } }],
        }),
      ]
      for (const post of posts) {
        const kept = JSON.stringify(await keptOf(post))
        for (const secret of [email, avatar, token, publicAddress]) expect(kept).not.toContain(secret)
      }
    }),
    { numRuns: 60 },
  )
})

test('what is kept is one bounded, printable line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 800 }), (text) => {
      const line = tidy(text)
      if (line === undefined) return
      expect(line.length).toBeGreaterThan(0)
      expect(line.length).toBeLessThanOrEqual(200)
      expect(line.isWellFormed()).toBe(true)
      expect(line).not.toMatch(/[\p{Cc}\u202A-\u202E\u2066-\u2069]/u)
    }),
  )
})

test.each([
  ['dependabot/npm_and_yarn/@types/node-20', 'dependabot/npm_and_yarn/@types/node-20'],
  ['The Matrix\r\n(1999)', 'The Matrix (1999)'],
  ['ask joe@example.com now', 'ask [e-mail] now'],
  ['Amélie 🎬', 'Amélie 🎬'],
  ['\u0000\u0007', undefined],
])('%j is kept as %j', (text, line) => {
  expect(tidy(text)).toBe(line)
})

test('ids that could leave their place in an address are dropped', async () => {
  const Metadata = { librarySectionID: '2/../../identity', ratingKey: '1?x', title: 'Pilot' }
  expect(await keptOf(fromPlex(plexPayload('library.new', { Metadata })))).toEqual({ title: 'Pilot' })
})
