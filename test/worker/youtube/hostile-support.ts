import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import * as z from 'zod'

import { ToDownloader } from '#contract/downloader-link.ts'
import type { Playlist } from '#contract/downloads.ts'
import { problemStatus } from '#contract/problems.ts'

import { hostileToAddresses, hostileToTools } from '../../support/hostile-text.ts'
import type { askedOfPlex } from '../plex/support.ts'
import { expectSomeProblem } from '../support/client.ts'
import type { Slot } from '../support/hostile.ts'
import { ask as askOnce } from './asking-support.ts'
import { storedJobs, type Downloader } from './support.ts'

const numbers = ['', ' ', '0', '-0', '0.5', '1e309', '-Infinity', '9007199254740993', '1_0']
export const texts = [...hostileToAddresses, ...hostileToTools('pwned', '/tmp'), ...numbers]
const marked = /pwned|stolen|attacker|169\.254|passwd|script/i

/** Addresses that could be taken for YouTube’s, and some that are. */
export const addressesWith = (text: string): readonly string[] => {
  const encoded = encodeURIComponent(text.toWellFormed())
  return [
    text,
    `https://www.youtube.com/watch?v=${text}`,
    `https://youtu.be/dQw4w9WgXcQ${text}`,
    `https://youtu.be/dQw4w9WgXcQ?list=PL0123456789&x=${encoded}#${encoded}`,
    `https://www.youtube.com/playlist?list=${text}`,
    `http://127.0.0.1:9@${text}`,
  ]
}

export const canonical = /^https:\/\/www\.youtube\.com\/(?:watch\?v=[\w-]{11}|playlist\?list=[\w-]{2,64})$/

/** What may be a header at all. */
export const isHeader = (text: string): boolean => {
  try {
    return new Headers({ name: text }).get('name') === text
  } catch {
    return false
  }
}

/** Tests leave a downloader half a second, which a busy machine may not have: what took too long is asked again. */
export const ask: typeof askOnce = async (...asked) => {
  let response
  do response = await askOnce(...asked)
  while (response.status === problemStatus('upstream-timeout'))
  return response
}

/** What a site says of the playlist of that number: whatever somebody can have put there, and that video. */
function playlistOf(url: string, video: string): Playlist {
  const text = texts[Number(/PL(\d+)$/.exec(url)?.[1])]
  const hostile = text === undefined ? [] : [text, `https://www.youtube.com/watch?v=${text}`]
  const videos = [...hostile, video].map((each) => ({ url: each, title: text }))
  return { id: text ?? 'PL', title: text, videos }
}

/** Has a downloader answer whatever it is asked, and keeps what it hears. */
export function attend({ socket, say, metadata }: Downloader, video: string): readonly ToDownloader[] {
  const heard: ToDownloader[] = []
  socket.addEventListener('message', ({ data }) => {
    const message = ToDownloader.parse(JSON.parse(z.string().parse(data)))
    heard.push(message)
    if (message.type !== 'ask') return
    const { requestId, question } = message
    const { kind } = question
    const answer =
      kind === 'metadata' ? { kind, metadata } : { kind, playlist: playlistOf(question.url, video) }
    say({ type: 'answer', requestId, answer })
  })
  return heard
}

/** The problem that the answer is, if it is one: of the request, never of ours, and nothing that a browser would run. */
export async function refusalOf(response: Response) {
  expect([...response.headers].filter(([, value]) => marked.test(value))).toEqual([])
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  expect(response.status).toBeLessThan(500)
  if (!response.ok) return expectSomeProblem(response)
  expect(response.headers.get('content-type')).toMatch(/^application\/json(?:;|$)/)
  return undefined
}

const Errors = z.array(z.object({ pointer: z.string() }))

/** Expects that each of those places is named as what is wrong, unless what was sent was not read at all. */
export async function expectRefused(
  response: Response,
  slots: readonly Slot[],
  sent: unknown,
): Promise<void> {
  const problem = await refusalOf(response)
  const code = problem?.code
  if (code === 'payload-too-large' && slots[0]?.target === 'json') return
  if (code === 'not-found' && slots[0]?.target === 'param' && sent === '..') return
  expect(code, JSON.stringify(sent)).toBe('invalid-request')
  const named = Errors.parse(problem?.['errors']).map(({ pointer }) => pointer)
  const unnamed = slots
    .map(({ target, path }) => `${target}#/${path.join('/')}`)
    .filter((place) => !named.some((each) => each === place || each.startsWith(`${place}/`)))
  expect(unnamed, JSON.stringify(sent)).toEqual([])
}

/** Nothing but addresses as we write them waits or was said to a downloader, and Plex was asked in plain letters. */
export async function expectNoHarm(
  heard: readonly ToDownloader[],
  asked: Awaited<ReturnType<typeof askedOfPlex>>,
): Promise<void> {
  const stored = await env.DB.prepare('select url from downloads').all<{ url: string }>()
  const said = heard.flatMap((message) =>
    message.type === 'offer' ? message.job.url : message.type === 'ask' ? message.question.url : [],
  )
  const urls = [...stored.results, ...(await storedJobs())].map(({ url }) => url)
  expect(said.length).toBeGreaterThan(0)
  expect([...urls, ...said].filter((url) => !canonical.test(url))).toEqual([])
  expect(heard.filter((message) => marked.test(JSON.stringify(message)))).toEqual([])
  const calls = asked.map(({ path, query }) => decodeURIComponent(`${path}?${query}`))
  expect(calls.filter((call) => /\p{Cc}/u.test(call))).toEqual([])
}
