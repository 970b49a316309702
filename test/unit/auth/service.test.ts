import { expect, test } from 'vitest'

import { Problem } from '#contract/problem.ts'

import type { Membership, UserTokens } from '../../../src/auth/ports.ts'
import { createAuth, type AuthDependencies } from '../../../src/auth/service.ts'

const never = () => {
  throw new Error('not expected to be asked')
}

/** An account whose membership plex.tv states by its token; notes what was done about it. */
function setUp(
  stored: UserTokens | undefined,
  membership: (accountToken: string) => Membership | 'token-refused' | 'not-a-member' | Error,
) {
  const state = { tokens: stored, done: [] as string[], asked: [] as string[] }
  const note = (what: string) => async () => {
    state.done.push(what)
  }
  const dependencies: AuthDependencies = {
    plexTv: {
      createPin: never,
      pollPin: never,
      account: never,
      authUrl: never,
      async membership(token) {
        state.asked.push(token)
        const answer = membership(token)
        if (answer instanceof Error) throw answer
        return answer
      },
    },
    users: {
      upsert: never,
      find: never,
      tokens: async () => state.tokens,
      async replaceServerToken(_userId, serverToken) {
        state.done.push(`keep ${serverToken}`)
      },
    },
    gates: {
      open: never,
      check: never,
      rotate: never,
      confirm: async (_userId, role) => {
        state.done.push(`confirm ${role}`)
      },
      newScope: note('new scope'),
      revoke: never,
      revokeAll: note('revoke all'),
    },
    accessTokens: { issue: never, verify: never },
    budget: { take: never },
    sealer: { seal: never, open: never },
    endLiveSessions: note('end live'),
    confirmShare: never,
    adminUserId: '7',
    log: () => {},
    now: () => 0,
    newId: never,
    newSecret: never,
    hash: never,
  }
  return { state, auth: createAuth(dependencies) }
}

const tokens = { accountToken: 'a1', serverToken: 's1' }
const member = { owned: false, serverToken: 's1' }

test('a member is confirmed, with the role that plex.tv or the operator gives', async () => {
  const friend = setUp(tokens, () => member)
  expect(await friend.auth.confirmMembership('1')).toBe('renewed')
  expect(friend.state.done).toEqual(['confirm user'])
  const owner = setUp(tokens, () => ({ ...member, owned: true }))
  await owner.auth.confirmMembership('1')
  expect(owner.state.done).toEqual(['confirm admin'])
  const named = setUp(tokens, () => member)
  await named.auth.confirmMembership('7')
  expect(named.state.done).toEqual(['confirm admin'])
})

test('a new server token is kept before a new scope begins', async () => {
  const { auth, state } = setUp(tokens, () => ({ ...member, serverToken: 's2' }))
  expect(await auth.confirmMembership('1')).toBe('renewed')
  expect(state.done).toEqual(['confirm user', 'keep s2', 'new scope'])
})

test.for([
  ['not-a-member', 'lost'],
  ['token-refused', 'signed-out'],
] as const)('%s ends every session', async ([answer, standing]) => {
  const { auth, state } = setUp(tokens, () => answer)
  expect(await auth.confirmMembership('1')).toBe(standing)
  expect(state.done).toEqual(['revoke all', 'end live'])
})

test('a sign-in that finished meanwhile is not ended for the token it replaced', async () => {
  const { auth, state } = setUp(tokens, (token) => {
    if (token === 'a2') return member
    state.tokens = { ...tokens, accountToken: 'a2' }
    return 'token-refused'
  })
  expect(await auth.confirmMembership('1')).toBe('renewed')
  expect(state.asked).toEqual(['a1', 'a2'])
  expect(state.done).toEqual(['confirm user'])
})

test('plex.tv being away proves nothing, and a fault of ours is not taken for that', async () => {
  const away = setUp(tokens, () => new Problem('plex-tv-unavailable', { members: { retryAfter: 5 } }))
  expect(await away.auth.confirmMembership('1')).toBe('unknown')
  expect(away.state.done).toEqual([])
  const broken = setUp(tokens, () => new TypeError('a fault of ours'))
  await expect(broken.auth.confirmMembership('1')).rejects.toThrow(TypeError)
})

test('without tokens of theirs nobody is signed in', async () => {
  const { auth, state } = setUp(undefined, () => member)
  expect(await auth.confirmMembership('1')).toBe('signed-out')
  expect(state.asked).toEqual([])
})
