import { env } from 'cloudflare:workers'
import { drizzle } from 'drizzle-orm/d1'

import type { PlacedFile } from '#contract/downloads.ts'

import { downloads } from '../../../src/platform/tables.ts'

const db = drizzle(env.DB)

type Row = typeof downloads.$inferInsert
export type Stored = Row & { readonly id: string }

/** A download in the history, as if it had been there all the while. */
export async function store(
  { userId }: { readonly userId: string },
  values: Partial<Row> = {},
): Promise<Stored> {
  const id = crypto.randomUUID()
  const videoId = id.slice(-11)
  const row: Row = {
    id,
    userId,
    videoId,
    url: `https://www.youtube.com/watch?v=${videoId}`,
    quality: '1080p',
    format: 'mp4',
    status: 'completed',
    attempt: 1,
    createdAt: '2026-10-01T00:00:00.000Z',
    ...(values.status === 'queued' ? {} : { endedAt: '2026-10-01T00:01:00.000Z' }),
    ...values,
  }
  await db.insert(downloads).values(row)
  return row
}

const placed: PlacedFile = { name: 'A film [x].mp4', bytes: 100, sha256: 'b'.repeat(64) }

/** One whose file is in the library. */
export const storeFile = (owner: { readonly userId: string }, values: Partial<Row> = {}): Promise<Stored> =>
  store(owner, {
    title: 'A film',
    file: { ...placed, bytes: values.bytes ?? placed.bytes },
    bytes: placed.bytes,
    plexPath: '/media/youtube/Cats/A film [x].mp4',
    downloaderId: 'nas',
    ...values,
  })

/** One that has the file of another. */
export const storeShared = (
  owner: { readonly userId: string },
  { id, videoId }: Stored,
  values: Partial<Row> = {},
): Promise<Stored> => store(owner, { videoId, file: placed, sharedFrom: id, ...values })

export const rowOf = async (id: string) => (await db.select().from(downloads)).find((row) => row.id === id)

export async function auditOf(actor: string): Promise<{ action: string; target: string }[]> {
  const query = env.DB.prepare('select action, target from audit_log where actor = ? order by id')
  return (await query.bind(actor).all<{ action: string; target: string }>()).results
}

/** What is stored of one that has failed so. */
export const failure = (code: 'network' | 'private' | 'format-unavailable') => ({
  status: 'failed' as const,
  failure: { code, retryable: false },
})
