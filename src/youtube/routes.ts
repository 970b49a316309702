import { DownloadRequest } from '#contract/options.ts'

import { cachedResponse } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { DownloadBody, MetadataBody, MetadataQuery, QuotaBody } from './schema.ts'
import type { Youtube } from './service.ts'
import { forUser } from './view.ts'

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
    on(readMetadata, async ({ c, query, ...asked }) =>
      cachedResponse(c, await service.metadata(asked, query.url)),
    )
    on(requestDownload, async ({ c, caller, json }) => {
      const download = await service.request(caller.userId, json, (left) => c.set('allowance', left))
      return c.json({ data: forUser(caller, download) }, 201)
    })
    on(readQuota, async ({ c, caller }) => c.json({ data: await service.quota(caller.userId) }, 200))
  })
