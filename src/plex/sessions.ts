import type { Asked, CachedAnswer } from '../http/cached-response.ts'
import type { Caller } from '../http/env.ts'
import { rows, type Row } from './container.ts'
import { parseSession } from './parse-session.ts'
import { plexPath, type Images, type PlexContainer, type PlexQuestion } from './ports.ts'
import type { PlaySession } from './session-schema.ts'

export type Sessions = ReturnType<typeof createSessions>

type Dependencies = {
  /** PMS as its owner: nobody else may ask who plays what. */
  readonly owner: { read(question: PlexQuestion): Promise<PlexContainer> }
  readonly libraryKeys: (asked: Asked) => Promise<readonly string[]>
  readonly images: Images
  readonly machineIdentifier: string
  readonly etagOf: (body: string) => Promise<string>
  readonly now: () => number
}

/** What plays now is old soon, and no answer outlives the isolate. */
const trustedForMs = 10_000

/** What PMS calls its owner, whoever that is elsewhere. */
const ownerHere = '1'

/** Who plays what: all of it for administrators, for everyone else only their own. */
export function createSessions(dependencies: Dependencies) {
  const { owner, libraryKeys, images, machineIdentifier, etagOf, now } = dependencies
  let last: { readonly at: number; readonly rows: readonly Row[] } | undefined

  const current = async () => {
    if (last && now() - last.at < trustedForMs) return { ...last, state: 'HIT' as const }
    const { container } = await owner.read({ path: plexPath`/status/sessions` })
    const read = { at: now(), rows: rows(container['Metadata']) }
    if (!last || last.at <= read.at) last = read
    return { ...read, state: 'MISS' as const }
  }

  /** A share may have changed since the playing began. */
  const withinShare = async (asked: Asked, sessions: readonly PlaySession[]) => {
    if (sessions.length === 0) return []
    const keys = new Set(await libraryKeys(asked))
    return sessions.filter(({ item }) => item?.libraryKey !== undefined && keys.has(item.libraryKey))
  }

  return async (asked: Asked): Promise<CachedAnswer> => {
    const { caller } = asked
    const { at, rows, state } = await current()
    const isAdmin = caller.role === 'admin'
    const view = { now: at, paths: isAdmin, machineIdentifier }
    const all = rows.flatMap((row) => parseSession(row, view) ?? [])
    const shown = isAdmin ? all : await withinShare(asked, all.filter(isOf(caller)))
    const data = await images.sign(caller.scope, shown)
    const body = JSON.stringify({ data, meta: { count: data.length } })
    const ageMs = Math.max(0, now() - at)
    return {
      body,
      etag: await etagOf(body),
      state,
      ageSeconds: Math.floor(ageMs / 1000),
      freshForSeconds: Math.max(0, Math.floor((trustedForMs - ageMs) / 1000)),
    }
  }
}

const isOf =
  ({ userId }: Caller) =>
  ({ user }: PlaySession) =>
    user.id === userId && user.id !== ownerHere
