import type { Download } from '#contract/downloads.ts'
import type { DownloadOptions } from '#contract/options.ts'
import { Problem } from '#contract/problem.ts'

import type { Background } from '../http/cached-response.ts'
import type { Allowance } from '../http/env.ts'
import type { Allowances } from './allowances.ts'
import { isSameForm } from '#contract/form.ts'
import type { NewDownload, YoutubeDependencies } from './ports.ts'
import type { Video } from './video-url.ts'
import { forUser, withLiveStates } from './view.ts'

export type Asker = {
  readonly userId: string
  readonly background: Background
  /** Hears what is left of the allowance. */
  readonly hear: (allowance: Allowance) => void
}

export type Wish = {
  readonly id: string
  readonly video: Video
  readonly options: DownloadOptions
  readonly playlistId?: string | undefined
  readonly collection?: string | undefined
}

/** What is there before the wish: the download that it was answered with before, and those of the same form. */
export type There = {
  readonly known: Download | undefined
  readonly inLibrary: () => Promise<readonly Download[]>
}

/** `had`: the user has it already, and nothing was stored. */
export type Answer = { readonly how: 'accepted' | 'shared' | 'had'; readonly download: Download }

type Dependencies = Pick<YoutubeDependencies, 'store' | 'queue' | 'tell' | 'now'> & {
  readonly allowances: Allowances
}

/**
 * The one way in which a video is asked for. What is refused, invalid or there already costs the user nothing: storing
 * a download decides who of many that ask for the same is first, and only the first is charged.
 */
export function createAsking({ store, queue, tell, now, allowances }: Dependencies) {
  const duplicate = (downloadId: string) => new Problem('duplicate-download', { members: { downloadId } })

  const current = async (download: Download): Promise<Download> =>
    (await withLiveStates(queue, [download]))[0] ?? download

  const charge = async ({ userId, hear }: Asker, id: string): Promise<void> => {
    try {
      await allowances.charge(userId, id, hear)
    } catch (error) {
      await store.withdraw(id)
      throw error
    }
  }

  /** The same request has come before, or is being answered elsewhere at this moment. */
  const again = async (asker: Asker, wish: Wish, known: Download): Promise<Answer> => {
    if (!isOf(known, wish)) throw new Problem('idempotency-key-reused')
    // Whoever has stored it may not have charged it yet, or not live to do so.
    if (known.status === 'queued' && allowances.remembersChargeOf(known)) await charge(asker, known.id)
    return { how: known.shared ? 'shared' : 'accepted', download: await current(known) }
  }

  const share = async (asker: Asker, wish: Wish, from: Download): Promise<Answer> => {
    const { userId, background } = asker
    const stored = await store.insertShared(newDownload(userId, wish, now()), from)
    const download = await store.find({ userId }, wish.id)
    if (!download) throw new Error('what was stored a moment ago is gone')
    if (stored !== 'stored') return again(asker, wish, download)
    background(announce(userId, download))
    return { how: 'shared', download }
  }

  /** As its owner would have been told of a download that took its time. */
  const announce = async (userId: string, download: Download): Promise<void> => {
    const { id: downloadId, file, plex } = download
    const shown = forUser({ role: 'user' }, download)
    await tell(userId, { event: 'youtube:created', data: { downloadId, download: shown } })
    if (file) await tell(userId, { event: 'youtube:completed', data: { downloadId, file } })
    if (plex) await tell(userId, { event: 'youtube:available', data: { downloadId, ...plex } })
  }

  const first = async (asker: Asker, wish: Wish, inLibrary: There['inLibrary']): Promise<Answer> => {
    const { userId } = asker
    const active = await store.activeOf(userId, wish.video.id)
    if (active !== undefined) throw duplicate(active)

    const found = await inLibrary()
    const own = found.find((download) => download.userId === userId && isWhereWanted(download, wish))
    if (own) return { how: 'had', download: own }
    const file = found.find(({ shared }) => !shared)
    if (file) return share(asker, wish, file)

    await allowances.require(userId, asker.hear)
    const download = newDownload(userId, wish, now())
    const stored = await store.insert(download)
    if (typeof stored === 'object') throw duplicate(stored.active)
    if (stored === 'known') throw duplicate(wish.id)
    await charge(asker, wish.id)
    await queue.enqueue(download)
    return {
      how: 'accepted',
      download: await current({ ...download, status: 'queued', attempt: 1, progress: 0 }),
    }
  }

  return {
    async ask(asker: Asker, wish: Wish, { known, inLibrary }: There): Promise<Answer> {
      if (known) return again(asker, wish, known)
      try {
        return await first(asker, wish, inLibrary)
      } catch (error) {
        // What was in the way may be the same request, which has come at the same time.
        const twin =
          error instanceof Problem ? await store.find({ userId: asker.userId }, wish.id) : undefined
        if (!twin) throw error
        return again(asker, wish, twin)
      }
    },
  }
}

export type Asking = ReturnType<typeof createAsking>

function newDownload(userId: string, wish: Wish, now: number): NewDownload {
  const { id, video, options, playlistId, collection } = wish
  return {
    id,
    userId,
    videoId: video.id,
    url: video.url,
    ...options,
    ...(playlistId !== undefined && { playlistId }),
    ...(collection !== undefined && { collection }),
    createdAt: new Date(now).toISOString(),
  }
}

/** Whether this download is what that wish was answered with. */
export const isOf = (download: Download, { video, options, collection }: Wish): boolean =>
  download.videoId === video.id && isSameForm(download, options) && download.collection === collection

/** What is to join a collection is stored anew, unless it is in that one, or on its way there. */
const isWhereWanted = (download: Download, { collection }: Wish): boolean =>
  collection === undefined || download.collection === collection
