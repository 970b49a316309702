import { isActive, type Download } from '#contract/downloads.ts'

import type { Queue } from './ports.ts'

type Caller = { readonly role: 'user' | 'admin' }

/** A download as this caller may see it: who asked for it, and what the tools said of a failure, are for admins. */
export function forUser(caller: Caller, download: Download): Download {
  if (caller.role === 'admin') return download
  const { userId: _userId, failure, ...rest } = download
  if (!failure) return rest
  const { evidence: _evidence, ...told } = failure
  return { ...rest, failure: told }
}

/** With what the queue knows of those that are not over. */
export async function withLiveStates(
  queue: Pick<Queue, 'liveStates'>,
  downloads: readonly Download[],
): Promise<Download[]> {
  const active = downloads.filter(({ status }) => isActive(status)).map(({ id }) => id)
  const states = active.length > 0 ? await queue.liveStates(active) : {}
  return downloads.map((download) => ({ ...download, ...states[download.id] }))
}
