import { DownloadRequest, PlaylistRequest } from '#contract/options.ts'

import { cachedResponse } from '../http/cached-response.ts'
import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { PlaylistBody, ValidationBody } from './asking-schema.ts'
import { IdempotencyHeader } from './idempotency.ts'
import { DownloadBody, MetadataBody, MetadataQuery, QuotaBody } from './schema.ts'
import type { Youtube } from './service.ts'
import { forUser } from './view.ts'

const unanswered = ['downloader-unavailable', 'upstream-timeout'] as const

const readMetadata = operation({
  id: 'readVideoMetadata',
  method: 'get',
  path: '/metadata',
  summary: 'What a video is, before it is asked for',
  access: 'user',
  limit: 'metadata',
  request: { query: MetadataQuery },
  responses: { 200: MetadataBody, 304: 'empty' },
  problems: ['unsupported-url', 'video-unavailable', ...unanswered],
})

const validateDownload = operation({
  id: 'validateDownload',
  method: 'post',
  path: '/validate',
  summary: 'What would become of a request, without making it; the address may be a playlist’s',
  access: 'user',
  limit: 'metadata',
  request: { json: DownloadRequest },
  responses: { 200: ValidationBody },
  problems: ['unsupported-url', ...unanswered],
})

const requestDownload = operation({
  id: 'requestDownload',
  method: 'post',
  path: '/download',
  summary: 'Ask for a video; 200 when it is one’s own already',
  access: 'user',
  request: { header: IdempotencyHeader, json: DownloadRequest },
  responses: { 200: DownloadBody, 201: DownloadBody },
  problems: [
    'unsupported-url',
    'duplicate-download',
    'idempotency-key-reused',
    'storage-quota-exceeded',
    'rate-limited',
  ],
})

const requestPlaylist = operation({
  id: 'requestPlaylist',
  method: 'post',
  path: '/playlist',
  summary: 'Ask for the videos of a playlist; each has a result of its own',
  access: 'user',
  limit: 'metadata',
  request: { header: IdempotencyHeader, json: PlaylistRequest },
  responses: { 200: PlaylistBody },
  problems: ['forbidden', 'unsupported-url', 'video-unavailable', 'idempotency-key-reused', ...unanswered],
})

const readQuota = operation({
  id: 'readQuota',
  method: 'get',
  path: '/quota',
  summary: 'How many downloads are left, and how much space',
  access: 'user',
  responses: { 200: QuotaBody },
})

export const youtube = (service: Youtube): Feature =>
  feature('/youtube', (on) => {
    on(readMetadata, async ({ c, query, ...asked }) =>
      cachedResponse(c, await service.metadata(asked, query.url)),
    )
    on(validateDownload, async ({ c, json, ...asked }) =>
      c.json({ data: await service.validate(asked, json) }, 200),
    )
    on(requestDownload, async ({ c, header, json, ...asked }) => {
      const key = header['Idempotency-Key']
      const { how, download } = await service.request(asked, json, key, (left) => c.set('allowance', left))
      return c.json({ data: forUser(asked.caller, download) }, how === 'had' ? 200 : 201)
    })
    on(requestPlaylist, async ({ c, header, json, ...asked }) => {
      const data = await service.requestPlaylist(asked, json, header['Idempotency-Key'])
      return c.json({ data, meta: { count: data.results.length } }, 200)
    })
    on(readQuota, async ({ c, caller }) => c.json({ data: await service.quota(caller.userId) }, 200))
  })
