export type Place = { readonly libraryKey: string; readonly locations: readonly string[] }

const isWindows = (path: string) => /^[a-z]:[\\/]/i.test(path) || path.startsWith('\\\\')

/** One spelling for a folder: forward slashes, no trailing one, and no letter case where Windows has none. */
function folded(path: string): string {
  const slashed = isWindows(path) ? path.replaceAll('\\', '/').toLowerCase() : path
  return slashed.length > 1 ? slashed.replace(/\/+$/, '') : slashed
}

/** Whether the folder is the location or inside it: `/media/tv` does not hold `/media/tv2`, and no `..` gets out. */
export function holds(location: string, path: string): boolean {
  const [outer, inner] = [folded(location), folded(path)]
  if (inner.split('/').some((segment) => segment === '..' || segment === '.')) return false
  return inner === outer || inner.startsWith(outer.endsWith('/') ? outer : `${outer}/`)
}

/** The library whose location is the longest that holds the path. */
export function libraryHolding(path: string, places: readonly Place[]): string | undefined {
  return places
    .flatMap(({ libraryKey, locations }) => locations.map((location) => ({ libraryKey, location })))
    .filter(({ location }) => holds(location, path))
    .toSorted((a, b) => b.location.length - a.location.length)[0]?.libraryKey
}

/** The folder of a file, in the spelling of its own system. */
export function folderOf(file: string): string {
  const cut = Math.max(file.lastIndexOf('/'), isWindows(file) ? file.lastIndexOf('\\') : -1)
  return file.slice(0, Math.max(1, cut))
}
