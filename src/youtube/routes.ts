import { DownloadRequest } from '#contract/options.ts'

import { cachedResponse } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import {
  DownloadBody,
  DownloadParam,
  DownloadsBody,
  ListQuery,
  MetadataBody,
  MetadataQuery,
  NoQuery,
  QuotaBody,
  YoutubeHealthBody,
} from './schema.ts'
import type { Youtube } from './service.ts'

const readHealth = operation({
  id: 'readYoutubeHealth',
  method: 'get',
  path: '/health',
  summary: 'Can videos be fetched?',
  access: 'optional',
  request: { query: NoQuery },
  responses: { 200: YoutubeHealthBody },
})

const readMetadata = operation({
  id: 'readVideoMetadata',
  method: 'get',
  path: '/metadata',
  summary: 'What a video is, before it is asked for',
  access: 'user',
  limit: 'metadata',
  request: { query: MetadataQuery },
  responses: { 200: MetadataBody, 304: 'empty' },
  problems: ['unsupported-url', 'video-unavailable', 'downloader-unavailable', 'upstream-timeout'],
})

const requestDownload = operation({
  id: 'requestDownload',
  method: 'post',
  path: '/download',
  summary: 'Ask for a video',
  access: 'user',
  request: { json: DownloadRequest },
  responses: { 201: DownloadBody },
  problems: ['unsupported-url', 'duplicate-download', 'rate-limited'],
})

const listDownloads = operation({
  id: 'listDownloads',
  method: 'get',
  path: '/downloads',
  summary: 'One’s own downloads, newest first',
  access: 'user',
  request: { query: ListQuery },
  responses: { 200: DownloadsBody },
})

const readDownload = operation({
  id: 'readDownload',
  method: 'get',
  path: '/downloads/:id',
  summary: 'One of one’s own downloads',
  access: 'user',
  request: { param: DownloadParam },
  responses: { 200: DownloadBody },
  problems: ['not-found'],
})

const cancelDownload = operation({
  id: 'cancelDownload',
  method: 'post',
  path: '/downloads/:id/cancel',
  summary: 'Stop a download and leave nothing behind',
  access: 'user',
  request: { param: DownloadParam },
  responses: { 200: DownloadBody },
  problems: ['not-found', 'download-finished'],
})

const readQuota = operation({
  id: 'readQuota',
  method: 'get',
  path: '/quota',
  summary: 'How many downloads are left',
  access: 'user',
  responses: { 200: QuotaBody },
})

export const youtube = (service: Youtube): Feature =>
  feature('/youtube', (on) => {
    on(readHealth, async ({ c, caller }) => {
      const { status, ytDlpAvailable, downloaders, queued } = await service.health()
      const open = {
        status,
        service: 'YouTube downloads' as const,
        ytDlpAvailable,
        downloadersConnected: downloaders.length,
      }
      if (!caller) return c.json({ data: open }, 200)
      const details = downloaders.map(({ id, freeBytes, ...rest }) => ({
        ...rest,
        troubles: [...rest.troubles],
        ...(caller.role === 'admin' && { id, freeBytes }),
      }))
      return c.json({ data: { ...open, queued, downloaders: details } }, 200)
    })
    on(readMetadata, async ({ c, query, ...asked }) =>
      cachedResponse(c, await service.metadata(asked, query.url)),
    )
    on(requestDownload, async ({ c, caller, json }) => {
      const download = await service.request(caller.userId, json, (left) => c.set('allowance', left))
      return c.json({ data: download }, 201)
    })
    on(listDownloads, async ({ c, caller, query }) => c.json(await service.list(caller.userId, query), 200))
    on(readDownload, async ({ c, caller, param }) =>
      c.json({ data: await service.find(caller.userId, param.id) }, 200),
    )
    on(cancelDownload, async ({ c, caller, param }) =>
      c.json({ data: await service.cancel(caller.userId, param.id) }, 200),
    )
    on(readQuota, async ({ c, caller }) => c.json({ data: await service.quota(caller.userId) }, 200))
  })
