import { lstat, readdir, realpath, rm, rmdir } from 'node:fs/promises'
import { extname, join, posix, win32 } from 'node:path'
import type { FromDownloader } from '#contract/downloader-link.ts'
import { formats } from '#contract/options.ts'
import { sync } from './disk.ts'
import type { Received } from './link.ts'
import type { Log } from './log.ts'
import { isSidecarOf, parsePlacedName, pathForPlex, seasonFolder } from './naming.ts'
import type { Placer } from './placement.ts'

export type RemovalOptions = {
  readonly libraryDirectory: string
  readonly plexLibraryPath: string
  readonly placer: Pick<Placer, 'alone'>
  /** Whether the library is what it was at the start, and not the empty folder that its disk was mounted on. */
  readonly isLibraryThere: () => Promise<boolean>
  readonly log: Log
}

type Request = Pick<Extract<Received, { type: 'remove' }>, 'plexPath' | 'file'>
type Removed = Extract<FromDownloader, { type: 'removed' }>
export type Removal = Pick<Removed, 'outcome' | 'plexFolder'>

const longestPath = 4096

/** Takes a placed file out of the library, and what was placed with it; as often as it is asked. */
export function createRemover(options: RemovalOptions): (request: Request) => Promise<Removal> {
  const { placer, log } = options
  return async (request) => {
    try {
      // Nothing is placed meanwhile: what is being placed may be another file of that name.
      return await placer.alone(() => remove(request, options))
    } catch (error) {
      log.error('a file could not be removed', { error })
      return { outcome: 'failed' }
    }
  }
}

/** Where a file of ours lies: always in a season of a channel. */
type Place = { readonly channel: string; readonly season: string; readonly name: string }

async function remove({ plexPath, file }: Request, options: RemovalOptions): Promise<Removal> {
  const { libraryDirectory, isLibraryThere, log } = options
  const place = placeOf(plexPath, options.plexLibraryPath, file.name)
  const root = await realpath(libraryDirectory)
  if (!place || !(await isOurs(root, place))) {
    log.warn('refused to remove what is not ours')
    return { outcome: 'refused' }
  }
  const folder = join(root, place.channel, place.season)
  const path = join(folder, place.name)
  const found = await lstatIfAny(path)
  if (found && (!found.isFile() || found.size !== file.bytes)) {
    log.warn('refused to remove another file than was meant')
    return { outcome: 'refused' }
  }
  if (!found && !(await isLibraryThere())) throw new Error('the library is away')
  if (found) await rm(path)
  // Also when the media is gone already: a removal may have been cut short.
  await removeCompanions(folder, place.name)
  const left = await removeEmpty(root, place)
  await sync(join(root, ...left)).catch(() => undefined)
  return { outcome: found ? 'removed' : 'absent', plexFolder: pathForPlex(options.plexLibraryPath, left) }
}

/** Takes a path apart as the Plex server writes it. Undefined when it is not one that we would have made. */
export function placeOf(plexPath: string, plexLibraryPath: string, name: string): Place | undefined {
  if (plexPath.length > longestPath || /\p{Cc}/u.test(plexPath)) return undefined
  const windows = pathForPlex(plexLibraryPath, ['x']).includes('\\')
  const [channel, season, last, ...more] = (windows ? win32 : posix)
    .relative(plexLibraryPath, plexPath)
    .split(windows ? '\\' : '/')
  if (channel === undefined || season === undefined || last !== name || more.length > 0) return undefined
  // A hidden folder is none of ours, and neither is the one above.
  if ([channel, season, last].some((part) => part === '' || part.startsWith('.') || /[\\/:]/.test(part)))
    return undefined
  if (pathForPlex(plexLibraryPath, [channel, season, last]) !== plexPath) return undefined
  const placed = isMedia(last) ? parsePlacedName(last) : undefined
  return placed && season === seasonFolder(placed.date) ? { channel, season, name: last } : undefined
}

const isMedia = (name: string): boolean => formats.some((format) => name.endsWith(`.${format}`))

/** Whether the folders are where they seem to be, and no links that lead elsewhere. What is not there leads nowhere. */
async function isOurs(root: string, { channel, season }: Place): Promise<boolean> {
  for (const folder of [join(root, channel), join(root, channel, season)]) {
    if (!(await lstatIfAny(folder))) return true
    if ((await realpath(folder)) !== folder) return false
  }
  return true
}

/** What goes with the media, unless other media of that name needs it. */
async function removeCompanions(folder: string, name: string): Promise<void> {
  const stem = name.slice(0, -extname(name).length)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const files = entries.filter((entry) => entry.isFile()).map((entry) => entry.name)
  const isCompanion = (candidate: string): boolean =>
    candidate === `${stem}.nfo` || candidate === `${stem}-thumb.jpg` || isSidecarOf(stem, candidate)
  const isShared = files.some(
    (candidate) => isMedia(candidate) && candidate.slice(0, -extname(candidate).length) === stem,
  )
  if (!isShared)
    for (const companion of files.filter(isCompanion)) await rm(join(folder, companion), { force: true })
}

/** Removes folders in which nothing is left; answers the parts of the one that stays. */
async function removeEmpty(root: string, { channel, season }: Place): Promise<string[]> {
  const show = join(root, channel)
  if (!(await rmdirIfEmpty(join(show, season)))) return [channel, season]
  const left = await readdir(show).catch(() => [])
  if (left.some((name) => name !== 'tvshow.nfo')) return [channel]
  if (left.length > 0) await rm(join(show, 'tvshow.nfo'))
  return (await rmdirIfEmpty(show)) ? [] : [channel]
}

const codeOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined

/** Whether the folder is gone; the system itself removes none that holds anything. */
async function rmdirIfEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return true
    if (codeOf(error) === 'ENOTEMPTY' || codeOf(error) === 'EEXIST') return false
    throw error
  }
}

async function lstatIfAny(path: string) {
  return lstat(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined
    throw error
  })
}
