import { mkdir, readdir, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import type { PlacedFile, VideoMetadata } from '#contract/downloads.ts'
import type { Selection, Warning } from '#contract/selection.ts'
import { sync } from './disk.ts'
import {
  channelFolder,
  chooseIndex,
  editionMark,
  episodeNumber,
  isSidecarOf,
  parsePlacedName,
  pathForPlex,
  safeId,
  seasonFolder,
  sidecarName,
  stemOf,
  withoutEnding,
} from './naming.ts'
import type { Episode } from './naming.ts'
import { episodeNfo, showNfo } from './nfo.ts'
import type { Outbox, Placement } from './outbox.ts'
import { unlessAborted } from './unless-aborted.ts'
import { fingerprint } from './ytdlp/ffprobe.ts'
import type { Sidecar } from './ytdlp/subtitles.ts'

export type PlaceRequest = {
  readonly jobId: string
  readonly videoId: string
  readonly site: string
  readonly channel: string
  /** As `editionOf` tells it. */
  readonly edition: string | undefined
  readonly metadata: VideoMetadata
  readonly media: string
  readonly artwork: string | undefined
  readonly sidecars: readonly Sidecar[]
  /** On the library's file system: what is written here moves there in one step. */
  readonly scratch: string
  readonly facts: Omit<PlacedFile, 'name'>
  readonly selection: Selection
  readonly warnings: readonly Warning[]
}

export type Placer = {
  /** Puts a proven file and what goes with it into the library, the media last. */
  readonly place: (request: PlaceRequest, signal: AbortSignal) => Promise<Placement>
  /** Runs while nothing is placed. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>
  /** What an earlier run of this job has placed, if it is still there unchanged. */
  readonly recover: (jobId: string) => Promise<Placement | undefined>
}

export type PlacerOptions = {
  readonly libraryDirectory: string
  readonly plexLibraryPath: string
  readonly outbox: Pick<Outbox, 'placement' | 'recordPlacement'>
  readonly heightOf: (file: string) => Promise<number | undefined>
  readonly now: () => Date
}

export function createPlacer(options: PlacerOptions): Placer {
  // Two videos of one day must not choose the same index.
  let last: Promise<unknown> = Promise.resolve()
  const alone = async <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work)
    last = done.catch(() => undefined)
    return done
  }
  return {
    alone,
    place: async (request, signal) => {
      signal.throwIfAborted()
      await unlessAborted(sync(request.media), signal)
      return alone(async () => {
        signal.throwIfAborted()
        return put(request, options)
      })
    },
    recover: async (jobId) => {
      const placement = options.outbox.placement(jobId)
      const found = placement && (await stat(placement.path).catch(() => undefined))
      if (!placement || found?.size !== placement.file.bytes) return undefined
      return (await fingerprint(placement.path)).sha256 === placement.file.sha256 ? placement : undefined
    },
  }
}

/** From here on there is no way back but a failure, and a failure leaves nothing new behind. */
async function put(request: PlaceRequest, options: PlacerOptions): Promise<Placement> {
  const { libraryDirectory, plexLibraryPath, outbox, now } = options
  const { date, stem } = await chooseName(request, options)
  const { number } = date
  const parts = [channelFolder(episodeOf(request, date.day)), seasonFolder(date.day)]
  const show = join(libraryDirectory, parts[0] ?? '')
  const folder = join(libraryDirectory, ...parts)
  const name = stem + extname(request.media)
  const placement = {
    path: join(folder, name),
    plexPath: pathForPlex(plexLibraryPath, [...parts, name]),
    file: { name, ...request.facts },
    selection: request.selection,
    warnings: [...request.warnings],
  }
  const made: string[] = []
  const add = async (path: string, from: string): Promise<void> => {
    if (!(await exists(path))) made.push(path)
    await sync(from)
    await rename(from, path)
  }
  const write = async (path: string, text: string): Promise<void> => {
    const draft = join(request.scratch, basename(path))
    await writeFile(draft, text)
    await add(path, draft)
  }
  const replaces = await exists(placement.path)
  try {
    await mkdir(folder, { recursive: true })
    outbox.recordPlacement(request.jobId, placement, now().getTime())
    const showPath = join(show, 'tvshow.nfo')
    if (!(await exists(showPath))) await write(showPath, showNfo(request.channel))
    await write(
      join(folder, `${stem}.nfo`),
      episodeNfo({ ...request, date: date.day, episodeNumber: number }),
    )
    if (request.artwork) await add(join(folder, `${stem}-thumb.jpg`), request.artwork)
    for (const { language, extension, file } of request.sidecars)
      await add(join(folder, sidecarName(stem, language, extension)), file)
    await rename(request.media, placement.path)
  } catch (error) {
    await Promise.allSettled(made.map((path) => rm(path)))
    for (const directory of [folder, show]) await rmdir(directory).catch(() => undefined)
    throw error
  }
  if (replaces) await removeOutdated(folder, stem, request.sidecars)
  for (const directory of [folder, show, libraryDirectory]) await sync(directory).catch(() => undefined)
  return placement
}

/** Subtitles of the file that was there before need not fit the one that took its place. */
async function removeOutdated(folder: string, stem: string, sidecars: readonly Sidecar[]): Promise<void> {
  const current = new Set(sidecars.map(({ language, extension }) => sidecarName(stem, language, extension)))
  const names = await readdir(folder).catch(() => [])
  const outdated = names.filter((name) => isSidecarOf(stem, name) && !current.has(name))
  await Promise.allSettled(outdated.map((name) => rm(join(folder, name))))
}

type ChosenDate = { readonly day: string; readonly number: string }

async function chooseName(
  request: PlaceRequest,
  options: PlacerOptions,
): Promise<{ readonly date: ChosenDate; readonly stem: string }> {
  const { libraryDirectory, plexLibraryPath, heightOf, now } = options
  const today = now().toISOString().slice(0, 10)
  const show = join(libraryDirectory, channelFolder(episodeOf(request, today)))
  const day = request.metadata.uploadDate ?? (await dayPlacedBefore(show, request.videoId)) ?? today
  const episode = episodeOf(request, day)
  const folder = join(show, seasonFolder(day))
  const names = await readdir(folder).catch(() => [])
  const index = chooseIndex(names, episode)
  const stem =
    (stemBefore(names, episode) ?? stemOf(episode, index, plexLibraryPath)) + editionMark(request.edition)
  const date = { day, number: episodeNumber(day, index) }

  const rival = join(folder, stem + extname(request.media))
  const { heightPixels } = request.facts
  if (heightPixels === undefined || !(await exists(rival))) return { date, stem }
  // Another size of the same video stands beside it as a version of its own; the same size replaces it.
  return { date, stem: (await heightOf(rival)) === heightPixels ? stem : `${stem} - ${heightPixels}p` }
}

const episodeOf = ({ channel, metadata, videoId }: PlaceRequest, date: string): Episode => ({
  channel,
  title: metadata.title,
  videoId,
  date,
})

/** A site that tells no date must not get a new episode with each new download. */
async function dayPlacedBefore(show: string, videoId: string): Promise<string | undefined> {
  const names = await readdir(show, { recursive: true }).catch(() => [])
  return names.map((name) => parsePlacedName(basename(name))).find((placed) => placed?.id === safeId(videoId))
    ?.date
}

/** The name the video goes by already, though its title may have changed since. */
function stemBefore(names: readonly string[], { videoId, date }: Episode): string | undefined {
  const name = names.find((candidate) => {
    const placed = parsePlacedName(candidate)
    return placed?.id === safeId(videoId) && placed.date === date
  })
  return name && withoutEnding(name)
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
