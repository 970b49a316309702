import type { Download } from '#contract/downloads.ts'

type Caller = { readonly role: 'user' | 'admin' }

/** A download as this caller may see it: who asked for it, and what the tools said of a failure, are for admins. */
export function forUser(caller: Caller, download: Download): Download {
  if (caller.role === 'admin') return download
  const { userId: _userId, failure, ...rest } = download
  if (!failure) return rest
  const { evidence: _evidence, ...told } = failure
  return { ...rest, failure: told }
}
