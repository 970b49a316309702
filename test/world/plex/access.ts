import type { Exchange } from '../stand-in.ts'

/** What one token may do at this server. */
export type PlexAccess = {
  readonly token: string
  readonly owner: boolean
  /** Keys of the sections the token sees; an owner sees them all. */
  readonly sections: readonly string[]
}

export type Viewer = { readonly owner: boolean; readonly sees: (sectionKey: string) => boolean }

/** Who asks, by the token in the header or in the query; nobody when it is missing or unknown. */
export function viewerOf(exchange: Exchange, granted: readonly PlexAccess[]): Viewer | undefined {
  const header = exchange.request.headers['x-plex-token']
  const token = typeof header === 'string' ? header : exchange.query.get('X-Plex-Token')
  const access = token ? granted.find((entry) => entry.token === token) : undefined
  if (!access) return undefined
  const sections = new Set(access.sections)
  return { owner: access.owner, sees: (key) => access.owner || sections.has(key) }
}
