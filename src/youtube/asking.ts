import type { Download } from '#contract/downloads.ts'
import { isSameForm } from '#contract/form.ts'
import type { DownloadOptions } from '#contract/options.ts'
import { Problem } from '#contract/problem.ts'

import type { Background } from '../http/cached-response.ts'
import type { Allowance } from '../http/env.ts'
import type { Allowances } from './allowances.ts'
import type { NewDownload, Share, YoutubeDependencies } from './ports.ts'
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

/** What is there before the wish. */
export type There = {
  /** The download that it was answered with before. */
  readonly known: Download | undefined
  /** The download of the same video that is under way. */
  readonly active: () => Promise<string | undefined>
  /** Those of the same form. */
  readonly inLibrary: () => Promise<readonly Download[]>
  /** Why nothing is to be fetched, where that is known beforehand. */
  readonly refusal?: Problem | undefined
}

/** `had`: the user has it already, and nothing was stored. */
export type Answer = { readonly how: 'accepted' | 'shared' | 'had'; readonly download: Download }

type Found =
  | { readonly kind: 'active'; readonly id: string }
  | { readonly kind: 'own'; readonly download: Download }
  | { readonly kind: 'file'; readonly share: Share }
  | { readonly kind: 'nothing' }

const nothing: Found = { kind: 'nothing' }

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

  /** All at once: one by one, those of a long list would be too many queries for one request. */
  const share = async (
    { userId, background }: Asker,
    shares: readonly Share[],
  ): Promise<readonly Answer[]> => {
    const stored = await store.insertShared(shares)
    for (const download of stored) background(announce(userId, download))
    return stored.map((download) => ({ how: 'shared', download }))
  }

  /** As its owner would have been told of a download that took its time. */
  const announce = async (userId: string, download: Download): Promise<void> => {
    const { id: downloadId, file, warnings, plex } = download
    const shown = forUser({ role: 'user' }, download)
    await tell(userId, { event: 'youtube:created', data: { downloadId, download: shown } })
    const completed = file && { downloadId, file, ...(warnings && { warnings }) }
    if (completed) await tell(userId, { event: 'youtube:completed', data: completed })
    if (plex) await tell(userId, { event: 'youtube:available', data: { downloadId, ...plex } })
  }

  const look = async ({ userId }: Asker, wish: Wish, { active, inLibrary }: There): Promise<Found> => {
    const id = await active()
    if (id !== undefined) return { kind: 'active', id }
    const placed = await inLibrary()
    const own = placed.find((download) => download.userId === userId && isWhereWanted(download, wish))
    if (own) return { kind: 'own', download: own }
    const from = placed.find(({ shared }) => !shared) ?? placed[0]
    return from ? { kind: 'file', share: { download: newDownload(userId, wish, now()), from } } : nothing
  }

  const first = async (asker: Asker, wish: Wish, there: There): Promise<Answer> => {
    const found = await look(asker, wish, there)
    if (found.kind === 'active') throw duplicate(found.id)
    if (found.kind === 'own') return { how: 'had', download: found.download }
    if (found.kind === 'nothing') return accept(asker, wish, there)
    const [answer] = await share(asker, [found.share])
    if (!answer) throw duplicate(wish.id)
    return answer
  }

  const accept = async (asker: Asker, wish: Wish, { refusal }: There): Promise<Answer> => {
    if (refusal) throw refusal
    await allowances.require(asker.userId, asker.hear)
    const download = newDownload(asker.userId, wish, now())
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
    async ask(asker: Asker, wish: Wish, there: There): Promise<Answer> {
      if (there.known) return again(asker, wish, there.known)
      try {
        return await first(asker, wish, there)
      } catch (error) {
        const twin = mayBeTwin(error, wish, there)
          ? await store.find({ userId: asker.userId }, wish.id)
          : undefined
        if (!twin) throw error
        return again(asker, wish, twin)
      }
    },

    /** Answers those that are in the library and were not asked for before, by their ids. */
    async shareAll(
      asker: Asker,
      asked: readonly { readonly wish: Wish; readonly there: There }[],
    ): Promise<ReadonlyMap<string, Answer>> {
      const fresh = asked.filter(({ there }) => !there.known)
      const found = await Promise.all(fresh.map(({ wish, there }) => look(asker, wish, there)))
      const answers = await share(
        asker,
        found.flatMap((each) => (each.kind === 'file' ? each.share : [])),
      )
      return new Map(answers.map((answer) => [answer.download.id, answer]))
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

/**
 * What was in the way may be the same request, which has come at the same time; not if it is known to be another, or was
 * known beforehand.
 */
const mayBeTwin = (error: unknown, { id }: Wish, { refusal }: There): boolean =>
  error instanceof Problem &&
  error !== refusal &&
  (error.code !== 'duplicate-download' || error.members['downloadId'] === id)

/** Whether this download is what that wish was answered with. */
const isOf = (download: Download, { video, options, collection }: Wish): boolean =>
  download.videoId === video.id && isSameForm(download, options) && download.collection === collection

/** What is to join a collection is stored anew, unless it is in that one, or on its way there. */
const isWhereWanted = (download: Download, { collection }: Wish): boolean =>
  collection === undefined || download.collection === collection
