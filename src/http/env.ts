import type { ProblemCode } from '#contract/problems.ts'

export type Role = 'user' | 'admin'

/** Who asks, as the access token says; what the user's gate knows is newer. */
export type Claims = { readonly userId: string; readonly sessionId: string; readonly role: Role }

/** Who asks, confirmed by the user's gate. `scope` names what this user's answers are cached under. */
export type Caller = Claims & {
  readonly scope: string
  /** The last change of the server's content that this user has made, so that they see what it brought. */
  readonly changed?: number
}

export type Allowance = {
  readonly policy: string
  readonly limit: number
  readonly windowSeconds: number
  readonly remaining: number
  /** Seconds until the next allowance returns; 0 when nothing is used. */
  readonly resetSeconds: number
}

export type GateDecision =
  | { readonly admitted: true; readonly caller: Caller; readonly allowance?: Allowance }
  | { readonly admitted: false; readonly problem: 'session-revoked' }
  | {
      readonly admitted: false
      readonly problem: 'rate-limited'
      readonly allowance: Allowance
      readonly retryAfter: number
    }

/** The one choke point every signed-in request passes. */
export type AccessControl = {
  /** Checks signature, times and audience of an access token; throws a 401 problem otherwise. */
  identify(token: string): Promise<Claims>
  admit(claims: Claims, limit: LimitName | undefined): Promise<GateDecision>
}

/** The limits that a route can be charged to as a whole. */
export type LimitName = 'plex' | 'metadata'

/** What a route demands of its caller; there is no default, so that none is forgotten. */
export type Access =
  | 'public'
  /** Open to all, but says more to who is signed in; a credential that is sent must be good. */
  | 'optional'
  | 'user'
  | 'admin'
  /** A machine with a credential of its own, which the feature itself checks: webhook senders, downloaders. */
  | 'machine'

export type LogFields = Readonly<Record<string, unknown>>
export type Log = (level: 'debug' | 'info' | 'warn' | 'error', event: string, fields?: LogFields) => void

export type HttpDependencies = {
  readonly access: AccessControl
  readonly log: Log
  readonly newId: () => string
  readonly now: () => number
  readonly allowedOrigins: readonly string[]
}

export type AppEnv = {
  Bindings: Env
  Variables: {
    http: HttpDependencies
    requestId: string
    caller?: Caller
    allowance?: Allowance
    problem?: ProblemCode
    /** Operation id, for the log: a path may hold a secret. */
    route?: string
    /** Methods the resource does take, for a 405. */
    allow?: string
    timings: { readonly name: string; readonly ms: number; readonly description?: string }[]
  }
}
