export type Place = {
  readonly libraryKey: string
  readonly type: string
  readonly locations: readonly string[]
}

const isWindows = (path: string) => /^[a-z]:([\\/]|$)/i.test(path) || path.startsWith('\\\\')

/**
 * One spelling for a path: forward slashes, no trailing one, composed letters, and no letter case where Windows has
 * none. For comparing only, never to be sent.
 */
export function folded(path: string): string {
  const slashed = isWindows(path) ? path.replaceAll('\\', '/').toLowerCase() : path
  return slashed.normalize('NFC').replace(/\/+$/, '') || '/'
}

/** Whether the folder is the location or inside it: `/media/tv` does not hold `/media/tv2`, and no `..` gets out. */
export function holds(location: string, path: string): boolean {
  const [outer, inner] = [folded(location), folded(path)]
  if (inner.split('/').some((segment) => segment === '..' || segment === '.')) return false
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
  return file.slice(0, Math.max(1, cut))
}

const fileName =
  /\.(avi|flac|jpe?g|m2ts|m4[abv]|mkv|mov|mp[34]|mpe?g|nfo|ogg|opus|png|srt|ts|vtt|wav|webm|wmv)$/i

/** The folder to scan for a path: PMS scans the wrong place when it is given a file. */
export function scanFolder(path: string): string {
  return fileName.test(path) ? folderOf(path) : path
}
