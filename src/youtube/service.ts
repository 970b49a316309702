import type { Download } from '#contract/downloads.ts'
import type { DownloadRequest } from '#contract/options.ts'
import { resolveOptions } from '#contract/options.ts'
import { Problem } from '#contract/problem.ts'
import type { WindowDecision } from '#resilience/sliding-window.ts'

import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { Allowance } from '../http/env.ts'
import type { YoutubeDependencies } from './ports.ts'
import { parseVideoUrl, shortId, type Video } from './video-url.ts'
import { withLiveStates } from './view.ts'

export type Youtube = ReturnType<typeof createYoutube>

export function createYoutube(dependencies: YoutubeDependencies) {
  const { store, queue, quota, cache, limit, now, newId } = dependencies

  const video = async (url: string): Promise<Video> => {
    const parsed = parseVideoUrl(url, dependencies.allowedHosts)
    if (!parsed) throw new Problem('unsupported-url')
    return { ...parsed, id: await shortId(parsed.id) }
  }

  const duplicate = (downloadId: string) => new Problem('duplicate-download', { members: { downloadId } })

  const allowanceOf = ({ remaining, resetMs }: WindowDecision): Allowance => ({
    policy: 'downloads',
    limit: limit.limit,
    windowSeconds: limit.windowMs / 1000,
    remaining,
    resetSeconds: Math.ceil(resetMs / 1000),
  })

  const refuseUnless = (decision: WindowDecision): void => {
    if (decision.allowed) return
    const retryAfter = Math.max(1, Math.ceil(decision.retryAfterMs / 1000))
    throw new Problem('rate-limited', {
      members: { retryAfter, limit: limit.limit, windowSeconds: limit.windowMs / 1000 },
    })
  }

  const ask = async (url: string) => {
    const answer = await queue.metadata(url)
    if (answer.kind === 'metadata') return { data: answer.metadata }
    if (answer.kind === 'unavailable')
      throw new Problem('downloader-unavailable', { members: { retryAfter: 30 } })
    if (answer.kind === 'timeout') throw new Problem('upstream-timeout')
    const { code, retryable, advice } = answer.failure
    throw new Problem('video-unavailable', {
      members: { reason: code, retryable, ...(advice && { advice }) },
    })
  }

  return {
    /** Metadata is the same for everybody, so its scope is nobody's. */
    async metadata({ background }: Asked, url: string): Promise<CachedAnswer> {
      const { id, url: address } = await video(url)
      const load = () => ask(address)
      return cache.read({
        scope: 'metadata',
        name: id,
        ttlMs: dependencies.metadataTtlMs,
        changesWith: 'never',
        load,
        background,
      })
    },

    /**
     * Accepts a download. What is refused, invalid or there already costs the user nothing: storing it decides who of
     * many that ask for the same is first, and only the first is charged. `onAllowance` hears what is left.
     */
    async request(
      userId: string,
      { url, ...wishes }: DownloadRequest,
      onAllowance: (allowance: Allowance) => void,
    ): Promise<Download> {
      const { id: videoId, url: address } = await video(url)
      const known = await store.activeOf(userId, videoId)
      if (known !== undefined) throw duplicate(known)
      const before = await quota.peek(userId)
      onAllowance(allowanceOf(before))
      refuseUnless(before)
      const createdAt = new Date(now()).toISOString()
      const download = { id: newId(), userId, videoId, url: address, ...resolveOptions(wishes), createdAt }
      const other = await store.insert(download)
      if (typeof other === 'object') throw duplicate(other.active)
      try {
        const charged = await quota.take(userId, download.id)
        onAllowance(allowanceOf(charged))
        refuseUnless(charged)
      } catch (error) {
        await store.withdraw(download.id)
        throw error
      }
      await queue.enqueue(download)
      return this.find(userId, download.id)
    },

    async find(userId: string, id: string): Promise<Download> {
      const download = await store.find({ userId }, id)
      if (!download) throw new Problem('not-found')
      const [live] = await withLiveStates(queue, [download])
      return live ?? download
    },

    async quota(userId: string) {
      const { remaining, resetMs } = await quota.peek(userId)
      return {
        used: limit.limit - remaining,
        limit: limit.limit,
        remaining,
        windowSeconds: limit.windowMs / 1000,
        canDownload: remaining > 0,
        ...(resetMs > 0 && { resetAt: new Date(now() + resetMs).toISOString() }),
      }
    },
  }
}
