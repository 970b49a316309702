import * as z from 'zod'

type Definition = {
  readonly status:
    | 400
    | 401
    | 403
    | 404
    | 405
    | 409
    | 410
    | 413
    | 415
    | 422
    | 426
    | 429
    | 500
    | 502
    | 503
    | 504
  readonly title: string
  /** Members this problem adds to the RFC 9457 document. */
  readonly members?: z.ZodRawShape
}

/** Whole seconds until it is worth asking again; also sent as the `Retry-After` header. */
const retryAfter = z.int().positive().meta({ description: 'Seconds until a new attempt makes sense' })

/** Every failure a client can see: one row each, and nothing else states its status or title. */
export const catalogue = {
  'invalid-request': {
    status: 400,
    title: 'The request does not match its schema',
    members: { errors: z.array(z.object({ pointer: z.string(), detail: z.string() })) },
  },
  'unsupported-url': { status: 400, title: 'This is not a video address this server accepts' },
  unauthenticated: { status: 401, title: 'Sign in first' },
  'token-expired': { status: 401, title: 'The access token has expired: refresh it' },
  'session-revoked': { status: 401, title: 'This session has ended: sign in again' },
  'plex-sign-in-required': { status: 401, title: 'Plex no longer accepts this sign-in: sign in again' },
  'invalid-signature': { status: 401, title: 'The webhook could not be verified' },
  forbidden: { status: 403, title: 'This needs an administrator' },
  'not-a-member': { status: 403, title: 'This Plex account has no access to this Plex server' },
  'storage-quota-exceeded': {
    status: 403,
    title: 'There is no room left for more videos: remove some first',
    members: { usedBytes: z.int(), limitBytes: z.int() },
  },
  'origin-refused': { status: 403, title: 'Requests from this origin are refused' },
  'not-found': { status: 404, title: 'No such resource' },
  'method-not-allowed': { status: 405, title: 'This resource does not take that method' },
  'duplicate-download': {
    status: 409,
    title: 'This video is already on its way',
    members: { downloadId: z.string() },
  },
  'download-finished': {
    status: 409,
    title: 'The download has already ended',
    members: { downloadStatus: z.string() },
  },
  'download-active': { status: 409, title: 'The download is still under way: cancel it first' },
  'download-not-failed': {
    status: 409,
    title: 'Only what has failed or was cancelled can be tried again',
    members: { downloadStatus: z.string() },
  },
  'download-has-no-file': { status: 409, title: 'There is no file of this download in the library' },
  'collection-title-taken': { status: 409, title: 'Another collection of this library has that title' },
  'collection-is-smart': { status: 409, title: 'A rule decides what this collection holds' },
  'collection-busy': {
    status: 409,
    title: 'This collection is being changed by somebody else',
    members: { retryAfter },
  },
  'pin-expired': { status: 410, title: 'The sign-in code has expired: start again' },
  'payload-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The body has the wrong content type' },
  'video-unavailable': {
    status: 422,
    title: 'The video cannot be fetched',
    members: {
      reason: z.string(),
      retryable: z.boolean(),
      advice: z.string().optional(),
      retryAt: z.iso.datetime().optional(),
    },
  },
  'idempotency-key-reused': {
    status: 422,
    title: 'This Idempotency-Key was used for another request',
  },
  'upgrade-required': { status: 426, title: 'This resource speaks WebSocket only' },
  'rate-limited': {
    status: 429,
    title: 'Too many requests',
    members: { retryAfter, limit: z.int().positive(), windowSeconds: z.int().positive() },
  },
  internal: { status: 500, title: 'Something went wrong on our side' },
  'upstream-invalid': { status: 502, title: 'Plex answered with something that cannot be understood' },
  'plex-unavailable': { status: 503, title: 'Plex is temporarily unavailable', members: { retryAfter } },
  'plex-maintenance': { status: 503, title: 'Plex is starting up', members: { retryAfter } },
  'plex-owner-required': {
    status: 503,
    title: 'This needs the owner of the Plex server to sign in here first',
  },
  'plex-tv-unavailable': {
    status: 503,
    title: 'plex.tv is temporarily unavailable',
    members: { retryAfter },
  },
  'downloader-unavailable': {
    status: 503,
    title: 'No downloader can answer at the moment',
    members: { retryAfter },
  },
  'not-configured': { status: 503, title: 'This has not been set up by the operator' },
  'upstream-timeout': { status: 504, title: 'The answer took too long' },
} as const satisfies Record<string, Definition>

export type ProblemCode = keyof typeof catalogue

/** The members a problem must carry beyond RFC 9457's own, or `undefined` when it has none. */
export type ProblemMembers<C extends ProblemCode> = (typeof catalogue)[C] extends {
  readonly members: infer M extends z.ZodRawShape
}
  ? z.input<z.ZodObject<M>>
  : undefined

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(catalogue, code)

export const problemCodes: readonly ProblemCode[] = Object.keys(catalogue).filter(isProblemCode)

export const problemStatus = (code: ProblemCode) => catalogue[code].status

export const problemType = (code: ProblemCode) => `urn:medianest:problem:${code}` as const

export const problemId = (code: ProblemCode) => `Problem.${code}`

/** The RFC 9457 document of each problem, named so that the OpenAPI document can refer to it. */
export const problemSchemas = problemCodes.map((code) => {
  const { title, status, members }: Definition = catalogue[code]
  return z
    .looseObject({
      type: z.literal(problemType(code)),
      title: z.literal(title),
      status: z.literal(status),
      code: z.literal(code),
      requestId: z.string(),
      instance: z.string(),
      detail: z.string().optional(),
      ...members,
    })
    .meta({ id: problemId(code) })
})
