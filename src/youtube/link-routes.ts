import { Problem } from '#contract/problem.ts'

import { feature, type Feature } from '../http/feature.ts'
import { opaque, operation } from '../http/operation.ts'

export type DownloaderLink = {
  /** Whether this is a downloader’s token; compared in constant time. */
  isDownloader(token: string): Promise<boolean>
  /** Hands the upgrade to the download queue. */
  connect(request: Request): Promise<Response>
}

const connectDownloader = operation({
  id: 'connectDownloader',
  method: 'get',
  path: '/link',
  summary: 'The downloader’s outbound WebSocket',
  access: 'machine',
  responses: { 101: 'upgrade' },
  problems: ['unauthenticated', 'upgrade-required'],
})

export const downloaderLink = (link: DownloaderLink): Feature =>
  feature('/downloader', (on) => {
    on(connectDownloader, async ({ c }) => {
      const token = /^Bearer (\S{1,512})$/i.exec(c.req.header('authorization') ?? '')?.[1]
      if (!token || !(await link.isDownloader(token))) throw new Problem('unauthenticated')
      if (c.req.header('upgrade')?.toLowerCase() !== 'websocket') throw new Problem('upgrade-required')
      return opaque(await link.connect(c.req.raw))
    })
  })
