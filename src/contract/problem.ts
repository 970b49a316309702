import type { ProblemCode, ProblemMembers } from './problems.ts'

type Context = {
  /** Said to the client: never upstream text, a path, or a secret. */
  readonly detail?: string
  /** Kept for the log, never sent. */
  readonly cause?: unknown
}

type Arguments<C extends ProblemCode> =
  ProblemMembers<C> extends undefined
    ? [context?: Context & { readonly members?: undefined }]
    : [context: Context & { readonly members: ProblemMembers<C> }]

/** A failure the client may be told about. Anything else thrown becomes `internal`. */
export class Problem<C extends ProblemCode = ProblemCode> extends Error {
  readonly code: C
  readonly detail: string | undefined
  readonly members: Readonly<Record<string, unknown>>

  constructor(code: C, ...[context]: Arguments<C>) {
    super(code, context?.cause === undefined ? undefined : { cause: context.cause })
    this.name = 'Problem'
    this.code = code
    this.detail = context?.detail
    this.members = context?.members ?? {}
  }
}

export function isProblem<C extends ProblemCode>(error: unknown, code: C): error is Problem<C> {
  return error instanceof Problem && error.code === code
}
