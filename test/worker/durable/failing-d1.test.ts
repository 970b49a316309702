import { env } from 'cloudflare:workers'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'

import {
  clearQueue,
  completed,
  connect,
  failed,
  listen,
  newFriend,
  progress,
  queue,
  read,
  request,
  silencePlex,
} from '../youtube/support.ts'

beforeEach(silencePlex)
afterEach(async () => {
  await clearQueue()
  vi.restoreAllMocks()
})

/** D1 as it is when it cannot be written to. */
async function withoutD1(work: () => Promise<void>): Promise<void> {
  await env.DB.prepare('alter table downloads rename to away').run()
  try {
    await work()
  } finally {
    await env.DB.prepare('alter table away rename to downloads').run()
  }
}

test.each([
  ['a completion', completed, 'scanning'],
  ['a failure for good', failed({ retryable: false }), 'failed'],
  ['a failure that may pass', failed(), 'running'],
  ['a cancellation', { kind: 'cancelled' } as const, 'cancelled'],
])(
  '%s that D1 cannot take is not acknowledged, and taken when it comes again',
  async (_, outcome, status) => {
    const frank = await newFriend()
    const nas = await connect()
    const { id } = await request(frank)
    const { leased } = await nas.takes(id)
    await nas.quiet()
    await withoutD1(async () => {
      nas.say({ type: 'result', ...leased, outcome })
      expect(await nas.closed).toBe(1011)
    })
    expect(await read(frank, id)).toMatchObject({ status: 'running', attempt: 1 })
    const again = await connect({ holding: [leased] })
    expect(again.welcome.drop).toEqual([])
    await again.ends(leased, outcome)
    if (outcome.kind === 'failed' && outcome.failure.retryable) await again.takes(id)
    await again.quiet()
    expect(await read(frank, id)).toMatchObject({ status })
  },
)

test('the log says that D1 failed, and nothing of what was to be written', async () => {
  const logged = vi.spyOn(console, 'log')
  const frank = await newFriend()
  const nas = await connect()
  const { id } = await request(frank)
  await withoutD1(async () => {
    await nas.takes(id)
    await nas.closed
  })
  const lines = logged.mock.calls.map(([line]) => String(line))
  const line = lines.find((each) => each.includes('downloader-not-heard'))
  expect(line).toContain('no such table')
  expect(line).not.toContain(nas.metadata.title)
})

test('a start that D1 cannot take is told once it can', async () => {
  const frank = await newFriend()
  const owner = await listen(frank)
  const nas = await connect()
  const { id } = await request(frank)
  await withoutD1(async () => {
    await nas.takes(id)
    expect(await nas.closed).toBe(1011)
  })
  const leased = { jobId: id, lease: 1 }
  const again = await connect({ holding: [leased] })
  again.say({ type: 'started', ...leased, metadata: nas.metadata })
  again.say({ type: 'progress', ...leased, progress: progress(50) })
  await again.quiet()
  expect((await owner.all(3)).map(({ event }) => event)).toEqual([
    'youtube:created',
    'youtube:started',
    'youtube:progress',
  ])
  expect(await read(frank, id)).toMatchObject({ status: 'running', title: nas.metadata.title })
})

test('a cancel that D1 cannot take changes nothing', async () => {
  const frank = await newFriend()
  const nas = await connect()
  const { id } = await request(frank)
  const { leased } = await nas.takes(id)
  await nas.quiet()
  await withoutD1(async () => {
    const answer = await queue()
      .cancel(frank.userId, id)
      .catch(() => 'refused')
    expect(answer).toBe('refused')
  })
  await nas.ends(leased, completed)
  expect(await read(frank, id)).toMatchObject({ status: 'scanning' })
})
