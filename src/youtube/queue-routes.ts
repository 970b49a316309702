import type { Caller } from '../http/env.ts'
import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { PausedBody, QueueBody, RetentionBody, RetentionRequest } from './control-schema.ts'
import type { QueueControl } from './queue-control.ts'
import type { Retention } from './retention-rounds.ts'
import { NoQuery, YoutubeHealthBody } from './schema.ts'

const readHealth = operation({
  id: 'readYoutubeHealth',
  method: 'get',
  path: '/health',
  summary: 'Can videos be fetched?',
  access: 'optional',
  request: { query: NoQuery },
  responses: { 200: YoutubeHealthBody },
})

const readQueue = operation({
  id: 'readDownloadQueue',
  method: 'get',
  path: '/queue',
  summary: 'How much waits and runs, and who works on it',
  access: 'admin',
  responses: { 200: QueueBody },
})

const pauseQueue = operation({
  id: 'pauseDownloadQueue',
  method: 'post',
  path: '/queue/pause',
  summary: 'Begin no more downloads; those that run go on',
  access: 'admin',
  responses: { 200: PausedBody },
})

const resumeQueue = operation({
  id: 'resumeDownloadQueue',
  method: 'post',
  path: '/queue/resume',
  summary: 'Go on with what waits',
  access: 'admin',
  responses: { 200: PausedBody },
})

const applyRetention = operation({
  id: 'applyRetention',
  method: 'post',
  path: '/retention',
  summary: 'Take old files out of the library, or say which would go',
  access: 'admin',
  request: { json: RetentionRequest },
  responses: { 200: RetentionBody },
})

const dayMs = 24 * 3_600_000

export const downloadQueue = (queue: QueueControl, retention: Retention): Feature =>
  feature('/youtube', (on) => {
    on(readHealth, async ({ c, caller }) => c.json({ data: visible(await queue.health(), caller) }, 200))
    on(readQueue, async ({ c }) => c.json({ data: await queue.read() }, 200))
    on(pauseQueue, async ({ c, caller }) => c.json({ data: await queue.pause(caller.userId, true) }, 200))
    on(resumeQueue, async ({ c, caller }) => c.json({ data: await queue.pause(caller.userId, false) }, 200))
    on(applyRetention, async ({ c, caller, json: { dryRun, maxAgeDays, maxBytes } }) => {
      const maxAgeMs = maxAgeDays === undefined ? undefined : maxAgeDays * dayMs
      const data = await retention.run({ dryRun, maxAgeMs, maxBytes, actor: caller.userId })
      return c.json({ data }, 200)
    })
  })

/** Strangers hear whether it works, friends what it waits for, admins who it is that works. */
function visible(health: Awaited<ReturnType<QueueControl['health']>>, caller: Caller | undefined) {
  const { status, ytDlpAvailable, downloaders, queued, paused } = health
  const open = {
    status,
    service: 'YouTube downloads' as const,
    ytDlpAvailable,
    downloadersConnected: downloaders.length,
  }
  if (!caller) return open
  const details = downloaders.map(({ id, freeBytes, sites, ...rest }) => ({
    ...rest,
    troubles: [...rest.troubles],
    restingSites: sites.map(({ site, reason }) => ({ site, reason })),
    ...(caller.role === 'admin' && { id, freeBytes }),
  }))
  return { ...open, paused, queued, downloaders: details }
}
