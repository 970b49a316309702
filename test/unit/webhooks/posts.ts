import { Problem } from '#contract/problem.ts'

import {
  type createReceiver,
  fromGeneric,
  fromGitHub,
  fromOverseerr,
  fromPlex,
  hmacHex,
  incoming,
  overseerrPayload,
  plexPayload,
  secrets,
  standardHeaders,
  start,
  type Post,
} from './receiver.ts'

export const push = { ref: 'refs/heads/main', commits: [{}, {}], repository: { full_name: 'octo/cat' } }

export type Receiver = ReturnType<typeof createReceiver>

export async function accept({ webhooks }: Receiver, post: Post) {
  const receipt = await webhooks.receive(post.target, incoming(post))
  if (!receipt.admitted) throw new Error('Not admitted')
  return receipt.acknowledgement
}

export const refusal = ({ webhooks }: Receiver, post: Post) =>
  webhooks.receive(post.target, incoming(post)).then(
    () => 'admitted',
    (error: unknown) => (error instanceof Problem ? error.code : error),
  )

export const byStandard = (body: string, { id = 'msg_1', at = start, name = 'ci' } = {}) =>
  fromGeneric(name, body, standardHeaders({ id, at, key: secrets.generic.ci[0] ?? '' }, body))

export const byHex = (body: string, name = 'nas') =>
  fromGeneric(name, body, { 'x-hub-signature-256': `sha256=${hmacHex('a-plain-shared-secret', body)}` })

export const good: Record<string, () => Post> = {
  plex: () => fromPlex(plexPayload('library.new')),
  overseerr: () => fromOverseerr(overseerrPayload('MEDIA_AVAILABLE')),
  github: () => fromGitHub('push', push),
  'generic:ci': () => byStandard('{"type":"build.done"}'),
  'generic:nas': () => byHex('{"event":"disk.full"}'),
}

export const wrong: Record<string, () => Post> = {
  'Plex without our secret': () => ({
    ...fromPlex(plexPayload('library.new')),
    target: { kind: 'plex', secret: 'x' },
  }),
  'Plex from another server': () =>
    fromPlex(plexPayload('library.new', { Server: { uuid: 'another-server' } })),
  'Plex from no server': () => fromPlex({ event: 'library.new' }),
  'Overseerr without a header': () => fromOverseerr(overseerrPayload('MEDIA_AVAILABLE'), ''),
  'Overseerr with another secret': () => fromOverseerr(overseerrPayload('MEDIA_AVAILABLE'), 'wrong'),
  'Overseerr with a good header, but a wrong signature': () => {
    const post = fromOverseerr(overseerrPayload('MEDIA_AVAILABLE'))
    return { ...post, headers: { ...post.headers, 'x-signature': '0'.repeat(64) } }
  },
  'GitHub with another secret': () => fromGitHub('push', push, 'wrong'),
  'GitHub with a body that is not JSON either': () => fromGitHub('push', 'Hello', 'wrong'),
  'GitHub without a signature': () => ({
    ...fromGitHub('push', push),
    headers: { 'x-github-event': 'push' },
  }),
  'GitHub with another body': () => ({ ...fromGitHub('push', push), body: '{}' }),
  'a generic source with another secret': () =>
    fromGeneric('nas', '{}', { 'x-signature': hmacHex('wrong', '{}') }),
  'a generic source without a secret': () => byHex('{}', 'empty'),
  'a generic source that does not exist': () => byHex('{}', 'nobody'),
  'a generic source named like a property': () => byHex('{}', '__proto__'),
  'a Standard Webhooks source with a plain signature': () => byHex('{}', 'ci'),
  'a plain source with Standard Webhooks headers': () => byStandard('{}', { name: 'nas' }),
  'an old Standard Webhook': () => byStandard('{}', { at: start - 301_000 }),
}
