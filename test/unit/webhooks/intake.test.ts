import { expect, test } from 'vitest'

import { isProblem } from '#contract/problem.ts'

import { accept, push, refusal } from './posts.ts'
import {
  allowed,
  createReceiver,
  exhausted,
  fromGitHub,
  fromOverseerr,
  fromPlex,
  incoming,
  overseerrPayload,
  plexPayload,
} from './receiver.ts'

const mebibyte = 1_048_576

test('a stranger without budget is refused before the body is read', async () => {
  const receiver = createReceiver({
    budgets: {
      addressLeft: async () => exhausted,
      chargeAddress: async () => undefined,
      takeSource: async () => allowed,
    },
  })
  const delivery = incoming(fromGitHub('push', push))
  const receipt = await receiver.webhooks.receive({ kind: 'github' }, delivery)
  expect(receipt).toEqual({
    admitted: false,
    retryAfter: 62,
    left: { policy: 'webhooks-unverified', limit: 100, windowSeconds: 900, remaining: 0, resetSeconds: 62 },
  })
  expect(delivery.body?.locked).toBe(false)
})

test('a verified source without budget is refused, and the address is not charged for it', async () => {
  const charged: string[] = []
  const receiver = createReceiver({
    budgets: {
      addressLeft: async () => allowed,
      chargeAddress: async (address) => void charged.push(address),
      takeSource: async () => exhausted,
    },
  })
  const receipt = await receiver.webhooks.receive({ kind: 'github' }, incoming(fromGitHub('push', push)))
  expect(receipt).toMatchObject({ admitted: false, left: { policy: 'webhooks-verified' } })
  expect(charged).toEqual([])
  expect(receiver.rows.size).toBe(0)
})

test('a body that says it is too large is refused unread', async () => {
  const receiver = createReceiver()
  const post = fromGitHub('push', push)
  const delivery = incoming(post)
  const header = (name: string) => (name === 'content-length' ? String(mebibyte + 1) : delivery.header(name))
  const error = await receiver.webhooks
    .receive(post.target, { ...delivery, header })
    .catch((caught: unknown) => caught)
  expect(isProblem(error, 'payload-too-large')).toBe(true)
  expect(delivery.body?.locked).toBe(false)
})

test('a body that turns out too large is refused without being read to its end', async () => {
  const receiver = createReceiver()
  let sent = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      sent += 64 * 1_024
      controller.enqueue(new Uint8Array(64 * 1_024))
    },
  })
  const header = () => undefined
  const error = await receiver.webhooks
    .receive({ kind: 'github' }, { address: '192.0.2.9', header, body })
    .catch((caught: unknown) => caught)
  expect(isProblem(error, 'payload-too-large')).toBe(true)
  expect(sent).toBeLessThan(2 * mebibyte)
  expect(receiver.seen.charged).toEqual(['192.0.2.9'])
})

test('a body of exactly the largest size is read', async () => {
  const receiver = createReceiver()
  const rest = JSON.stringify({ ...push, filler: '' })
  const body = JSON.stringify({ ...push, filler: 'x'.repeat(mebibyte - rest.length) })
  expect(body).toHaveLength(mebibyte)
  expect(await accept(receiver, fromGitHub('push', body))).toMatchObject({ status: 'stored' })
  expect(await refusal(receiver, fromGitHub('push', `${body} `))).toBe('payload-too-large')
})

test('a ping and an unknown event are stored as ignored and never queued', async () => {
  const receiver = createReceiver()
  await accept(receiver, fromGitHub('ping', { zen: 'Keep it logically awesome.', hook_id: 1 }))
  await accept(receiver, fromGitHub('not_invented_yet', push))
  await accept(receiver, fromOverseerr(overseerrPayload('TEST_NOTIFICATION', { media: null, request: null })))
  await accept(receiver, fromPlex(plexPayload('library.on.deck')))
  expect([...receiver.rows.values()].map(({ status }) => status)).toEqual(Array(4).fill('ignored'))
  expect(receiver.seen.queued).toEqual([])
})

test('what was stored is acknowledged even when the queue does not take it', async () => {
  const receiver = createReceiver({ enqueue: () => Promise.reject(new Error('queue down')) })
  expect(await accept(receiver, fromGitHub('push', push))).toMatchObject({ status: 'stored' })
  expect(receiver.seen.log.map(({ event }) => event)).toContain('webhook-not-queued')
})

test('two deliveries of one millisecond that draw the same number are both stored', async () => {
  const draws = [0.5, 0.5, 0.25]
  const receiver = createReceiver({ random: () => draws.shift() ?? 0 })
  await accept(receiver, fromGitHub('push', push))
  await accept(receiver, fromGitHub('push', { ...push, ref: 'refs/heads/other' }))
  expect(receiver.rows.size).toBe(2)
})
