export type Place = {
  readonly libraryKey: string
  readonly type: string
  readonly title: string
  readonly locations: readonly string[]
}

const isWindows = (path: string) => /^[a-z]:([\\/]|$)/i.test(path) || path.startsWith('\\\\')

export const isAbsolute = (path: string) => path.startsWith('/') || isWindows(path)

const segmentsOf = (path: string) =>
  (isWindows(path) ? path.replaceAll('\\', '/') : path).split('/').filter((segment) => segment !== '')

/** Whether the path would leave the folder it begins in, or says in a roundabout way where it is. */
export const hasDots = (path: string) =>
  segmentsOf(path).some((segment) => segment === '..' || segment === '.')

/**
 * One spelling for a path: forward slashes, no needless ones, composed letters, and no letter case where Windows has
 * none. For comparing only, never to be sent.
 */
export function folded(path: string): string {
  const slashed = isWindows(path) ? path.replaceAll('\\', '/').toLowerCase() : path
  return (
    slashed
      .normalize('NFC')
      .replaceAll(/(?<=.)\/{2,}/g, '/')
      .replace(/\/+$/, '') || '/'
  )
}

/** Whether the folder is the location or inside it: `/media/tv` does not hold `/media/tv2`, and no `..` gets out. */
export function holds(location: string, path: string): boolean {
  if (hasDots(path)) return false
  const [outer, inner] = [folded(location), folded(path)]
  return inner === outer || inner.startsWith(outer === '/' ? outer : `${outer}/`)
}

/** The library whose location is the longest that holds the path. */
export function libraryHolding(path: string, places: readonly Place[]): Place | undefined {
  return places
    .flatMap((place) =>
      place.locations.map((location) => ({ place, length: folded(location).length, location })),
    )
    .filter(({ location }) => holds(location, path))
    .toSorted((a, b) => b.length - a.length)[0]?.place
}

/** The folder of a file, in the spelling of its own system. */
export function folderOf(file: string): string {
  const cut = Math.max(file.lastIndexOf('/'), isWindows(file) ? file.lastIndexOf('\\') : -1)
  const folder = file.slice(0, Math.max(1, cut))
  // `C:` alone is wherever the drive happens to stand.
  return /^[a-z]:$/i.test(folder) ? `${folder}\\` : folder
}

const mediaName =
  /\.(3gp|aac|aiff?|alac|avi|divx|dsf|flac|flv|iso|m2ts|m4[abv]|mka|mkv|mov|mp[34]|mpe?g|mts|og[agmv]|opus|rmvb|strm|ts|vob|wav|webm|wma|wmv)$/i
const companionName = /\.(ass|gif|idx|jpe?g|lrc|nfo|png|srt|ssa|sub|sup|tbn|txt|vtt|webp|xml)$/i

/** Whether the path names a file that Plex would show as an item. */
export const isMedia = (path: string) => mediaName.test(path)

/** The folder to scan for a path: PMS scans the wrong place when it is given a file. */
export function scanFolder(path: string): string {
  return isMedia(path) || companionName.test(path) ? folderOf(path) : path
}

/** What begins with `from` on the machine that asks begins with `to` on the Plex server's. */
export type PathRule = { readonly from: string; readonly to: string }

/** The path as the Plex server sees it, by the rule with the longest beginning. */
export function mapped(path: string, rules: readonly PathRule[]): string {
  const [rule] = rules
    .filter(({ from }) => holds(from, path))
    .toSorted((a, b) => folded(b.from).length - folded(a.from).length)
  if (!rule) return path
  const rest = segmentsOf(path).slice(segmentsOf(rule.from).length)
  if (rest.length === 0) return rule.to
  const separator = isWindows(rule.to) && rule.to.includes('\\') ? '\\' : '/'
  return [rule.to.replace(/[\\/]+$/, ''), ...rest].join(separator)
}
