import type { FromDownloader } from '#contract/downloader-link.ts'

import type { Removal } from './ports.ts'

/** A file that is to go. It is kept until its downloader has said so and Plex was told. */
export type PendingRemoval = Removal & {
  /** How often the downloader could not, or would not. */
  readonly refusals: number
  /** The folder to scan, once the file is gone. */
  readonly plexFolder?: string
}

type Said = Extract<FromDownloader, { type: 'removed' }>

/** After this many it is left where it is: somebody has to look. */
const mostRefusals = 10

export type RemovalNews =
  | { readonly kind: 'gone'; readonly removal: PendingRemoval & { readonly plexFolder: string } }
  | { readonly kind: 'kept'; readonly removal: PendingRemoval }
  | { readonly kind: 'given-up'; readonly removal: PendingRemoval }

export const newRemoval = (removal: Removal): PendingRemoval => ({ ...removal, refusals: 0 })

/** Not for Plex to be told of alone. */
export const isOnDisk = ({ plexFolder }: PendingRemoval): boolean => plexFolder === undefined

/** What the downloader’s word means for a removal. */
export function answered(
  removal: PendingRemoval,
  { outcome, plexFolder }: Said,
  folderOf: (file: string) => string,
): RemovalNews {
  if (outcome === 'removed' || outcome === 'absent') {
    return { kind: 'gone', removal: { ...removal, plexFolder: plexFolder ?? folderOf(removal.plexPath) } }
  }
  const refusals = removal.refusals + 1
  return { kind: refusals < mostRefusals ? 'kept' : 'given-up', removal: { ...removal, refusals } }
}
