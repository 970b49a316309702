import type { FromDownloader } from '#contract/downloader-link.ts'

import type { Removal } from './ports.ts'

/** A file that is to go. It is kept until its downloader has said so and Plex was told. */
export type PendingRemoval = Removal & {
  /** How often the downloader would not. */
  readonly refusals: number
  /** Whether the downloader has tried and could not; it is asked again for as long as it takes. */
  readonly hasFailed?: boolean
  /** Not asked for any more since then, in ms: it was refused too often, or retention has let the file be. */
  readonly droppedAt?: number
  /** The folder to scan, once the file is gone. */
  readonly plexFolder?: string
}

type Said = Extract<FromDownloader, { type: 'removed' }>

/** After this many it is left where it is: somebody has to look. */
const mostRefusals = 10
/** What was dropped is remembered this long: it is not ordered again, and a late answer still counts. */
const rememberMs = 7 * 24 * 3_600_000

export type RemovalNews =
  | { readonly kind: 'gone'; readonly removal: PendingRemoval & { readonly plexFolder: string } }
  | { readonly kind: 'kept' | 'given-up'; readonly removal: PendingRemoval }

export const newRemoval = (removal: Removal): PendingRemoval => ({ ...removal, refusals: 0 })

export const isByRetention = ({ idleSince }: Removal): boolean => idleSince !== undefined

export const dropped = (removal: PendingRemoval, now: number): PendingRemoval => ({
  ...removal,
  droppedAt: now,
})

/** Whether its downloader has still to take the file away. */
export const isLeaving = ({ plexFolder, droppedAt }: PendingRemoval): boolean =>
  plexFolder === undefined && droppedAt === undefined

/** Whether its downloader would not take the file away, and will not be asked again. */
export const isStuck = ({ droppedAt, refusals }: PendingRemoval): boolean =>
  droppedAt !== undefined && refusals >= mostRefusals

export const isForgotten = ({ droppedAt }: PendingRemoval, now: number): boolean =>
  droppedAt !== undefined && now - droppedAt > rememberMs

/** Whether what retention has ordered out may go still, going by the order that it would give now. */
export const mayStillGo = (ordered: Removal, now: Removal | undefined): boolean =>
  now !== undefined &&
  now.plexPath === ordered.plexPath &&
  now.file.sha256 === ordered.file.sha256 &&
  (now.idleSince ?? 0) <= (ordered.idleSince ?? 0)

/** What the downloader’s word means for a removal whose file was there. What is no news leaves it the same object. */
export function answered(
  removal: PendingRemoval,
  { outcome, plexFolder }: Said,
  folderOf: (file: string) => string,
  now: number,
): RemovalNews {
  if (outcome === 'removed' || outcome === 'absent') {
    return { kind: 'gone', removal: { ...removal, plexFolder: plexFolder ?? folderOf(removal.plexPath) } }
  }
  if (!isLeaving(removal)) return { kind: 'kept', removal }
  if (outcome === 'failed') {
    return { kind: 'kept', removal: removal.hasFailed ? removal : { ...removal, hasFailed: true } }
  }
  const refused = { ...removal, refusals: removal.refusals + 1 }
  return refused.refusals < mostRefusals
    ? { kind: 'kept', removal: refused }
    : { kind: 'given-up', removal: dropped(refused, now) }
}
