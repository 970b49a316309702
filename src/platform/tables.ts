import { sql } from 'drizzle-orm'
import { index, integer, real, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core'

import { downloadStatuses, type PlacedFile } from '#contract/downloads.ts'
import { formats, qualities } from '#contract/options.ts'
import { type Failure } from '#contract/failures.ts'
import type { DownloadExtras } from '#contract/options.ts'
import type { Selection, Warning } from '#contract/selection.ts'
import type { HealthCause, HealthStatus, ServiceName } from '#contract/health.ts'

import { deliveryStatuses, type Kept, type Source } from '../webhooks/delivery.ts'

/** Tokens are sealed by the vault; `id` is the plex.tv account id. */
export const users = sqliteTable('users', {
  id: text().primaryKey(),
  username: text().notNull(),
  email: text(),
  thumb: text(),
  role: text({ enum: ['user', 'admin'] }).notNull(),
  sealedAccountToken: text('sealed_account_token').notNull(),
  sealedServerToken: text('sealed_server_token').notNull(),
  createdAt: text('created_at').notNull(),
  signedInAt: text('signed_in_at').notNull(),
})

export const downloads = sqliteTable(
  'downloads',
  {
    id: text().primaryKey(),
    userId: text('user_id').notNull(),
    videoId: text('video_id').notNull(),
    url: text().notNull(),
    title: text(),
    channel: text(),
    durationSeconds: real('duration_seconds'),
    thumbnail: text(),
    quality: text({ enum: qualities }).notNull(),
    format: text({ enum: formats }).notNull(),
    status: text({ enum: downloadStatuses }).notNull(),
    attempt: integer().notNull(),
    failure: text({ mode: 'json' }).$type<Failure>(),
    file: text({ mode: 'json' }).$type<PlacedFile>(),
    ratingKey: text('rating_key'),
    extras: text({ mode: 'json' }).$type<DownloadExtras>(),
    selection: text({ mode: 'json' }).$type<Selection>(),
    warnings: text({ mode: 'json' }).$type<Warning[]>(),
    /** Where the file lies, as Plex sees it, and whose downloader can take it away. */
    plexPath: text('plex_path'),
    downloaderId: text('downloader_id'),
    /** Of the file, once for each file: nothing for a download that shares somebody else’s. */
    bytes: integer(),
    /** The download whose file this one shares. */
    sharedFrom: text('shared_from'),
    playlistId: text('playlist_id'),
    collection: text(),
    collectedAt: text('collected_at'),
    isProtected: integer('is_protected', { mode: 'boolean' }).notNull().default(false),
    removedAt: text('removed_at'),
    createdAt: text('created_at').notNull(),
    startedAt: text('started_at'),
    endedAt: text('ended_at'),
  },
  (table) => [
    // Decides what a duplicate is; a read before the write could not. On `ended_at`, not on the status: that changes
    // often, and each change of what an index looks at is one more row written.
    uniqueIndex('downloads_active')
      .on(table.userId, table.videoId)
      .where(sql`ended_at is null`),
    index('downloads_by_user').on(table.userId, table.createdAt),
    // Empty but for the few that wait to join a collection.
    index('downloads_to_collect')
      .on(table.ratingKey)
      .where(sql`collection is not null and collected_at is null`),
    index('downloads_shared')
      .on(table.sharedFrom)
      .where(sql`shared_from is not null`),
  ],
)

/** `id` grows with time, so that no index on time is needed: every index entry is a row to pay for. */
export const deliveries = sqliteTable(
  'deliveries',
  {
    id: integer().primaryKey(),
    source: text().$type<Source>().notNull(),
    event: text().notNull(),
    verdict: text({ enum: ['verified', 'authenticated'] }).notNull(),
    dedupKey: text('dedup_key').notNull(),
    status: text({ enum: deliveryStatuses }).notNull(),
    attempts: integer().notNull(),
    /** What was kept of the body: no e-mail, address, avatar or token. */
    kept: text({ mode: 'json' }).$type<Kept>().notNull(),
    outcome: text(),
    processedAt: text('processed_at'),
  },
  (table) => [index('deliveries_dedup').on(table.dedupKey)],
)

export const healthSamples = sqliteTable('health_samples', {
  /** Milliseconds since the epoch, times 16, plus the service's number: grows with time and needs no index. */
  id: integer().primaryKey(),
  service: text().$type<ServiceName>().notNull(),
  status: text().$type<HealthStatus>().notNull(),
  cause: text().$type<HealthCause>(),
  latencyMs: real('latency_ms'),
})

export const auditLog = sqliteTable('audit_log', {
  id: integer().primaryKey({ autoIncrement: true }),
  at: text().notNull(),
  actor: text().notNull(),
  action: text().notNull(),
  target: text().notNull(),
})
