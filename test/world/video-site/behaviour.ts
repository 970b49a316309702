import * as z from 'zod'

/**
 * How a media file is served. It travels in the path (`/media/rate=20000/…`) so that the segments named in a manifest inherit it,
 * or in the query of a single file.
 */
export const Behaviour = z.object({
  /** Bytes a second. */
  rate: z.coerce.number().int().positive().exactOptional(),
  /** Goes silent at this byte of the file and keeps the connection. */
  stall: z.coerce.number().int().nonnegative().exactOptional(),
  /** Never delivers anything from this byte on, though it promises the whole. */
  cut: z.coerce.number().int().nonnegative().exactOptional(),
  /** Each connection dies after this many bytes; coming back for the rest works. */
  drop: z.coerce.number().int().positive().exactOptional(),
  status: z.coerce.number().int().min(400).max(599).exactOptional(),
  /** How often `status` is answered before the file is served; a file keeps its own count for each path it is asked by. */
  fails: z.coerce.number().int().positive().exactOptional(),
  /** The seconds of the `Retry-After` that goes with a status. */
  after: z.coerce.number().int().nonnegative().exactOptional(),
  /** The number of a segment that is not there. */
  lose: z.coerce.number().int().nonnegative().exactOptional(),
  /** Nothing but a name, for a path and a count of one's own. */
  run: z.string().exactOptional(),
  /** The length that is claimed, whatever the file's own. */
  claim: z.coerce.number().int().positive().exactOptional(),
  instead: z.enum(['html', 'garbage', 'endless']).exactOptional(),
})
export type Behaviour = z.output<typeof Behaviour>

const setting = /^([a-z]+)=([a-z0-9-]+)$/

/** Splits `rate=20000/clips/x.mp4` into the file and how to serve it; the query has the last word. */
export function parseServedPath(
  path: string,
  query: URLSearchParams,
): { readonly file: string; readonly behaviour: Behaviour } {
  const parts = path.split('/')
  const settings: [string, string][] = []
  while (true) {
    const match = setting.exec(parts[0] ?? '')
    if (!match?.[1] || !match[2]) break
    settings.push([match[1], match[2]])
    parts.shift()
  }
  return { file: parts.join('/'), behaviour: Behaviour.parse(Object.fromEntries([...settings, ...query])) }
}

export function mediaPath(file: string, behaviour: Behaviour): string {
  return `/media/${settingsPath(behaviour)}${file}`
}

/** What stands before a file or an id to have it served so. */
export function settingsPath(behaviour: Behaviour): string {
  return Object.entries(behaviour)
    .map(([key, value]) => `${key}=${value}/`)
    .join('')
}
