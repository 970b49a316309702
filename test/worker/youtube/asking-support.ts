import { env } from 'cloudflare:workers'
import { expect } from 'vitest'
import * as z from 'zod'

import { ToDownloader } from '#contract/downloader-link.ts'
import type { Playlist } from '#contract/downloads.ts'
import { DownloadRequest, resolveOptions } from '#contract/options.ts'

import { createLibraryIndex } from '../../../src/platform/library-index.ts'
import { QuotaBody } from '../../../src/youtube/schema.ts'
import { askUnder } from '../support/app.ts'
import { ask as askWorker, expectData } from '../support/client.ts'
import type { Member } from '../support/sessions.ts'
import { control } from '../support/world.ts'
import { completed, connect, DownloadBody, queue, type Downloader, type Friend } from './support.ts'

const Asked = z.object({ requestId: z.uuid(), question: z.object({ kind: z.string() }) })

export const roomy = { DOWNLOADS_PER_HOUR: '100000', METADATA_PER_HOUR: '100000' }
/** Members of the stand-in ask more often than people. */
export const ask = askUnder(roomy)

export const friendOf = async (member: Member): Promise<Friend> => ({
  userId: member.userId,
  token: (await member.session()).token,
})

export const post = ({ token }: Friend, json: unknown, key?: string, through: typeof ask = ask) =>
  through('POST', '/api/youtube/download', {
    token,
    json,
    ...(key !== undefined && { headers: { 'Idempotency-Key': key } }),
  })

export const answered = async (response: Promise<Response> | Response, status = 201) =>
  (await expectData(await response, status, DownloadBody)).data

export const idsOf = async (userId: string) => {
  const rows = await env.DB.prepare('select id from downloads where user_id = ?').bind(userId).all()
  return rows.results.map(({ id }) => z.string().parse(id))
}

/** An item of the movies library, which olivia and frank may see, and fatima not. */
export const newItem = async () =>
  z.object({ ratingKey: z.string() }).parse(await control('plexUrl', 'add-movie', { title: 'A film' }))
    .ratingKey

/** Has a video fetched and shown by Plex as that item, and known to be there. */
export async function place(
  friend: Friend,
  json: Readonly<Record<string, unknown>>,
  ratingKey: string | undefined,
  known?: Downloader,
) {
  const downloader = known ?? (await connect())
  const { id, videoId } = await answered(post(friend, json))
  const { leased } = await downloader.takes(id)
  await downloader.ends(leased, completed)
  await queue().scanned(id, ratingKey)
  const options = resolveOptions(DownloadRequest.parse(json))
  await createLibraryIndex(env.CACHE).add(videoId, { downloadId: id, options })
  return { id, videoId, downloader }
}

/** The next question; nothing is done about jobs. */
export async function nextQuestion(downloader: Downloader) {
  let message
  do message = ToDownloader.parse(JSON.parse(await downloader.raw()))
  while (message.type === 'offer')
  return Asked.parse(message)
}

/** Answers the next question after a playlist. */
export async function tells(downloader: Downloader, playlist: Playlist): Promise<void> {
  const { requestId, question } = await nextQuestion(downloader)
  expect(question.kind).toBe('playlist')
  downloader.say({ type: 'answer', requestId, answer: { kind: 'playlist', playlist } })
}

export const quotaOf = async ({ token }: { readonly token: string }, through: typeof ask = askWorker) =>
  (await expectData(await through('GET', '/api/youtube/quota', { token }), 200, QuotaBody)).data
