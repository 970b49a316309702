import { isActive, type Download } from '#contract/downloads.ts'
import { failureCodes, policyOf, type FailureCode } from '#contract/failures.ts'
import { Problem } from '#contract/problem.ts'

import type { Caller } from '../http/env.ts'
import { reachOf, scopeOf } from './history.ts'
import type { ControlDependencies, Heir, HeldDownload } from './history-ports.ts'
import type { NewDownload } from './ports.ts'

export type Control = ReturnType<typeof createControl>

/** What becomes of the file when a record or a file is to go. */
export type FileFate = 'removing' | 'kept-for-others' | 'none'

export const maxRetried = 100

/** Those that may go better the next time without anybody changing what is asked for. */
const worthRetrying = failureCodes.filter((code) => {
  const { blame } = policyOf(code)
  return blame !== 'video' && blame !== 'request'
})

/** What owners do to their downloads, and admins to anybody’s: what an admin does to another’s is put on record. */
export function createControl(dependencies: ControlDependencies) {
  const { store, queue, audit, tell, passOn, requireSpace, isSpaceManaged, now } = dependencies

  const heldBy = async (caller: Caller, id: string): Promise<HeldDownload> => {
    const held = await store.held(reachOf(caller), id)
    if (!held) throw new Problem('not-found')
    return held
  }

  const note = async (caller: Caller, ownerId: string, action: string, id: string): Promise<void> => {
    if (caller.userId === ownerId) return
    await audit({ actor: caller.userId, action: `youtube.download.${action}`, target: id })
  }

  const beginAgain = async (ids: readonly string[]): Promise<readonly NewDownload[]> => {
    const reopened = await store.reopen(ids)
    await Promise.all(reopened.map((download) => queue.enqueue(download, { attempt: 1 })))
    return reopened
  }

  /** Orders the file out if it may go. A file that others have too goes only when an admin says so. */
  const fateOf = async (caller: Caller, held: HeldDownload): Promise<FileFate> => {
    const isAdmin = caller.role === 'admin'
    if (held.download.file === undefined || held.download.removedAt !== undefined) return 'none'
    if (!isAdmin && (held.sharedFrom !== undefined || held.hasSharers)) return 'kept-for-others'
    const original =
      held.sharedFrom === undefined ? held : isAdmin && (await store.held('all', held.sharedFrom))
    if (!original || !original.removal) return 'none'
    await queue.remove(original.removal)
    return 'removing'
  }

  const inherit = async (id: string, heir: Heir | undefined): Promise<void> => {
    if (heir) await passOn(id, heir)
  }

  const refuseActive = ({ download }: HeldDownload): void => {
    if (isActive(download.status)) throw new Problem('download-active')
  }

  return {
    async cancel(caller: Caller, id: string): Promise<void> {
      const { ownerId, download } = await heldBy(caller, id)
      if (isActive(download.status) && (await queue.cancel(ownerId, id))) {
        return note(caller, ownerId, 'cancel', id)
      }
      const { status } = (await heldBy(caller, id)).download
      throw new Problem('download-finished', { members: { downloadStatus: status } })
    },

    async retry(caller: Caller, id: string): Promise<void> {
      const { ownerId, download } = await heldBy(caller, id)
      await requireSpace(ownerId)
      if ((await beginAgain([id])).length > 0) return note(caller, ownerId, 'retry', id)
      const active = await store.activeOf(ownerId, download.videoId)
      if (active !== undefined && active !== id) {
        throw new Problem('duplicate-download', { members: { downloadId: active } })
      }
      const { status } = (await heldBy(caller, id)).download
      throw new Problem('download-not-failed', { members: { downloadStatus: status } })
    },

    /** Each video once for each who has asked for it, and not what has come off since. */
    async retryFailed(
      caller: Caller,
      { scope, code }: { scope: 'own' | 'all'; code?: readonly FailureCode[] | undefined },
    ) {
      if (scope === 'own') await requireSpace(caller.userId)
      const chosen = await store.lastFailed(scopeOf(caller, scope), code ?? worthRetrying, maxRetried)
      const begun = new Set((await beginAgain(chosen.map(({ id }) => id))).map(({ id }) => id))
      if (scope === 'all' && begun.size > 0) {
        await audit({
          actor: caller.userId,
          action: 'youtube.retry-failed',
          target: `${begun.size} downloads`,
        })
      }
      return chosen.map(({ id, videoId, title }) => ({
        downloadId: id,
        videoId,
        ...(title !== undefined && { title }),
        // Somebody else was faster, by a moment.
        outcome: begun.has(id) ? ('queued' as const) : ('not-failed' as const),
      }))
    },

    async remove(caller: Caller, id: string, withFile: boolean) {
      const held = await heldBy(caller, id)
      refuseActive(held)
      const leavesFile = !withFile && held.removal !== undefined && held.download.status === 'completed'
      if (leavesFile && !held.hasSharers && isSpaceManaged && caller.role !== 'admin') {
        throw new Problem('forbidden', {
          detail: 'Without its record the file would count nowhere: remove both',
        })
      }
      const kept: FileFate = held.hasSharers ? 'kept-for-others' : 'none'
      const file = withFile ? await fateOf(caller, held) : kept
      if (file === 'removing') await store.forgetWithFile(id)
      else await inherit(id, await store.forget(id))
      await note(caller, held.ownerId, 'delete', id)
      await tell(held.ownerId, {
        event: 'youtube:removed',
        data: { downloadId: id, file: false, record: true },
      })
      return { record: true, file }
    },

    async removeFile(caller: Caller, id: string) {
      const held = await heldBy(caller, id)
      refuseActive(held)
      const file = await fateOf(caller, held)
      if (file === 'none') throw new Problem('download-has-no-file')
      if (file === 'kept-for-others') await inherit(id, await store.letGo(id, new Date(now()).toISOString()))
      await note(caller, held.ownerId, 'delete-file', id)
      return { record: false, file }
    },

    async protect(caller: Caller, id: string, isProtected: boolean): Promise<Download> {
      const { ownerId } = await heldBy(caller, id)
      await store.protect(id, isProtected)
      await note(caller, ownerId, isProtected ? 'protect' : 'unprotect', id)
      return (await heldBy(caller, id)).download
    },
  }
}
