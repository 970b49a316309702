import { feature, type Feature } from '../http/feature.ts'
import { operation } from '../http/operation.ts'
import { DownloadsBody, ListQuery, StatsBody, StatsQuery } from './history-schema.ts'
import type { History } from './history.ts'
import { DownloadBody, DownloadParam } from './schema.ts'
import { forUser } from './view.ts'

const listDownloads = operation({
  id: 'listDownloads',
  method: 'get',
  path: '/downloads',
  summary: 'One’s own downloads, or for admins everybody’s, newest first',
  access: 'user',
  request: { query: ListQuery },
  responses: { 200: DownloadsBody },
  problems: ['forbidden'],
})

const readDownload = operation({
  id: 'readDownload',
  method: 'get',
  path: '/downloads/:id',
  summary: 'One of one’s own downloads, or for admins anybody’s',
  access: 'user',
  request: { param: DownloadParam },
  responses: { 200: DownloadBody },
  problems: ['not-found'],
})

const readStats = operation({
  id: 'readDownloadStats',
  method: 'get',
  path: '/stats',
  summary: 'What has come of one’s own downloads, or for admins of everybody’s',
  access: 'user',
  request: { query: StatsQuery },
  responses: { 200: StatsBody },
  problems: ['forbidden'],
})

export const downloadHistory = (history: History): Feature =>
  feature('/youtube', (on) => {
    on(listDownloads, async ({ c, caller, query }) => {
      const { data, meta } = await history.list(caller, query)
      return c.json({ data: data.map((download) => forUser(caller, download)), meta }, 200)
    })
    on(readDownload, async ({ c, caller, param }) =>
      c.json({ data: forUser(caller, await history.find(caller, param.id)) }, 200),
    )
    on(readStats, async ({ c, caller, query }) =>
      c.json({ data: await history.statistics(caller, query) }, 200),
    )
  })
