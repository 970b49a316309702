import { expect, test } from 'vitest'

import { Problem } from '../../../src/contract/problem.ts'
import type { Caller, Claims } from '../../../src/http/env.ts'
import type { Entry } from '../../../src/live/listener.ts'
import type { LiveDependencies } from '../../../src/live/ports.ts'
import { createLive } from '../../../src/live/service.ts'
import type { StoredTicket } from '../../../src/live/ticket.ts'

const caller: Caller = { userId: '42', sessionId: 's1', role: 'user', scope: '42.1' }
const wishes = { topics: [], admittedAt: 5 }
const never = () => new Promise<never>(() => {})

function setUp(overrides: Partial<LiveDependencies> = {}) {
  const entries: Entry[] = []
  const tickets: StoredTicket[] = []
  const live = createLive({
    rooms: {
      connect: async (entry) => {
        entries.push(entry)
        return new Response('upgraded')
      },
      keepTicket: async (ticket) => void tickets.push(ticket),
      takeTicket: async (userId, hash): Promise<Claims | undefined> =>
        tickets.find((ticket) => ticket.claims.userId === userId && ticket.hash === hash)?.claims,
    },
    libraryKeys: async () => ['1', '2'],
    randomBytes: (count) => new Uint8Array(count).fill(251),
    now: () => 1_000,
    wait: never,
    ...overrides,
  })
  return { live, entries, tickets }
}

test('a ticket is 256 random bits behind the user’s id, lives 30 seconds and is stored by its hash alone', async () => {
  const { live, tickets } = setUp()
  const { ticket, expiresAt } = await live.issueTicket(caller)
  expect(ticket).toBe(`42.${Buffer.alloc(32, 251).toString('base64url')}`)
  expect(expiresAt).toBe('1970-01-01T00:00:31.000Z')
  expect(JSON.stringify(tickets)).not.toContain(ticket.slice(3))
  expect(await live.redeemTicket(ticket)).toEqual({ userId: '42', sessionId: 's1', role: 'user' })
})

test.each(['', 'nonsense', `42.${'A'.repeat(43)}`, `.${'A'.repeat(43)}`, `42.${'A'.repeat(44)}`])(
  'no ticket of ours: %j',
  async (ticket) => {
    await expect(setUp().live.redeemTicket(ticket)).rejects.toMatchObject({ code: 'unauthenticated' })
  },
)

test('a room is told which libraries its listener may see', async () => {
  const { live, entries } = setUp()
  await live.connect(caller, { ...wishes, since: 7 })
  expect(entries).toEqual([
    {
      userId: '42',
      sessionId: 's1',
      role: 'user',
      libraries: ['1', '2'],
      topics: [],
      admittedAt: 5,
      since: 7,
    },
  ])
})

test.each([
  ['fails', { libraryKeys: () => Promise.reject(new Error('Plex is away')) }],
  ['takes too long', { libraryKeys: never, wait: async () => {} }],
])('when the question for libraries %s, the listener hears of none', async (_, overrides) => {
  const { live, entries } = setUp(overrides)
  await live.connect(caller, wishes)
  expect(entries[0]?.libraries).toEqual([])
})

test('nobody asks Plex what an admin may see', async () => {
  const { live, entries } = setUp({ libraryKeys: () => Promise.reject(new Error('asked')) })
  await live.connect({ ...caller, role: 'admin' }, wishes)
  expect(entries[0]).toMatchObject({ role: 'admin', libraries: [] })
})

test('a session that ended on the way in is refused', async () => {
  const { rooms } = {
    rooms: { connect: async () => undefined, keepTicket: async () => {}, takeTicket: never },
  }
  await expect(setUp({ rooms }).live.connect(caller, wishes)).rejects.toThrow(Problem)
  await expect(setUp({ rooms }).live.connect(caller, wishes)).rejects.toMatchObject({
    code: 'session-revoked',
  })
})
