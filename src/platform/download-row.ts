import { Download, type DownloadStatus } from '#contract/downloads.ts'
import { DownloadExtras } from '#contract/options.ts'

import { itemUrl } from '../plex/parse.ts'
import type { downloads } from './tables.ts'

export type DownloadRow = typeof downloads.$inferSelect

const progressOf = (status: DownloadStatus) => (status === 'completed' || status === 'scanning' ? 100 : 0)

/** Who asked for it, and what its failure was told by, are an admin’s to see: whoever answers others leaves them out. */
export function toDownload(row: DownloadRow, machineIdentifier: string): Download {
  const { ratingKey, sharedFrom, isProtected, extras, ...rest } = row
  const present = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null))
  return Download.parse({
    ...present,
    extras: extras ?? DownloadExtras.parse({}),
    progress: progressOf(row.status),
    ...(ratingKey !== null && { plex: { ratingKey, url: itemUrl(machineIdentifier, ratingKey) } }),
    ...(sharedFrom !== null && { shared: true }),
    ...(isProtected && { protected: true }),
  })
}
