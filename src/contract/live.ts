import * as z from 'zod'

import { Download, PlacedFile, Progress, waitReasons } from './downloads.ts'
import { Failure } from './failures.ts'
import { Warning } from './selection.ts'

const downloadId = z.uuid()

/** What a scan has come to. `scanned`: nothing in particular was waited for. */
export const scanOutcomes = ['seen', 'not-seen', 'scanned', 'no-library', 'gave-up'] as const
export type ScanOutcome = (typeof scanOutcomes)[number]

/** Every event a subscriber can get, by name: its payload, and nothing else states it. */
export const liveEvents = {
  hello: z.object({
    downloads: z.array(Download),
    resync: z
      .boolean()
      .meta({ description: 'Events may have been missed: trust this snapshot, not what was kept' }),
  }),
  'youtube:created': z.object({ downloadId, download: Download }),
  'youtube:started': z.object({ downloadId, title: z.string(), attempt: z.int().positive() }),
  'youtube:progress': z.object({
    downloadId,
    progress: z.number().min(0).max(100),
    ...Progress.omit({ percent: true }).shape,
    waitingFor: z.enum(waitReasons).optional().meta({ description: 'When nobody works on it any more' }),
  }),
  'youtube:processing': z.object({ downloadId, phase: z.enum(['processing', 'placing', 'scanning']) }),
  'youtube:completed': z.object({
    downloadId,
    file: PlacedFile,
    warnings: z.array(Warning).optional(),
  }),
  'youtube:failed': z.object({ downloadId, failure: Failure }),
  'youtube:cancelled': z.object({ downloadId }),
  'youtube:retrying': z.object({
    downloadId,
    attempt: z.int().positive(),
    failure: Failure.optional().meta({ description: 'Absent when somebody has asked for the retry' }),
  }),
  'youtube:removed': z.object({
    downloadId,
    file: z.boolean().meta({ description: 'Whether its file has left the library' }),
    record: z.boolean().meta({ description: 'Whether it has left the history' }),
    reason: z.literal('retention').optional().meta({ description: 'Absent when somebody has asked for it' }),
  }),
  'youtube:queue': z.object({ paused: z.boolean() }),
  'youtube:available': z.object({ downloadId, ratingKey: z.string(), url: z.string() }),
  'media:requested': mediaEvent(),
  'media:approved': mediaEvent(),
  'media:available': mediaEvent(),
  'media:declined': mediaEvent(),
  'media:failed': mediaEvent(),
  'plex:library:new': z.object({
    libraryKey: z.string(),
    ratingKey: z.string().optional(),
    title: z.string(),
    type: z.string(),
  }),
  'plex:library:scanned': z.object({
    libraryKey: z.string().optional().meta({ description: 'Absent when no library holds the folder' }),
    scanId: z.uuid().optional().meta({ description: 'For who has asked for the scan' }),
    outcome: z.enum(scanOutcomes),
  }),
  'plex:playback:start': playbackEvent(),
  'plex:playback:stop': playbackEvent(),
  'github:push': z.object({ repository: z.string(), branch: z.string(), commits: z.int().nonnegative() }),
  'github:deployment': z.object({ repository: z.string(), environment: z.string(), state: z.string() }),
  'github:release': z.object({ repository: z.string(), tag: z.string(), action: z.string() }),
  'webhook:generic': z.object({ source: z.string(), event: z.string() }),
  'health:changed': z.object({ service: z.string(), from: z.string(), to: z.string() }),
} as const

function mediaEvent() {
  return z.object({
    title: z.string(),
    type: z.enum(['movie', 'tv']),
    requestId: z.string().optional(),
    libraryKey: z.string().optional(),
  })
}

function playbackEvent() {
  return z.object({ title: z.string(), user: z.string().optional(), libraryKey: z.string().optional() })
}

export type LiveEventName = keyof typeof liveEvents
export type LiveEvent = {
  [N in LiveEventName]: { readonly event: N; readonly data: z.output<(typeof liveEvents)[N]> }
}[LiveEventName]

/** Who may hear an event. `section` reaches those whose Plex share holds that library, and admins. */
export type Audience =
  | { readonly kind: 'user'; readonly userId: string }
  | { readonly kind: 'section'; readonly libraryKey: string }
  | { readonly kind: 'admins' }

/** One text frame of `/api/live`. `seq` only grows, also across reconnects to another instance. */
export const LiveFrame = z.object({
  seq: z.int().nonnegative(),
  at: z.iso.datetime(),
  event: z.string(),
  data: z.unknown(),
})
export type LiveFrame = z.output<typeof LiveFrame>

export const liveTopics = ['youtube', 'media', 'plex', 'github', 'webhook', 'health'] as const
export const LiveTopic = z.enum(liveTopics)
export type LiveTopic = z.output<typeof LiveTopic>

/** What a subscriber may send: narrow the events to these topics (empty: all). */
export const LiveCommand = z.strictObject({
  type: z.literal('narrow'),
  topics: z.array(LiveTopic).max(liveTopics.length),
})

export const topicOf = (event: LiveEventName): string => event.split(':', 1)[0] ?? event
