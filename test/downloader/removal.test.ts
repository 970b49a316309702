import { lstat, mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import type { PlacedFile } from '#contract/downloads.ts'
import { markLibrary } from '../../downloader/library-mark.ts'
import { createLog } from '../../downloader/log.ts'
import { pathForPlex } from '../../downloader/naming.ts'
import { createPlacer } from '../../downloader/placement.ts'
import { createRemover } from '../../downloader/removal.ts'
import { filesIn } from './support/launch.ts'

const show = 'A Channel'
const season = `${show}/Season 2025`
const stem = 'A Channel - s2025e070401 - A Title [video-1]'
const media = `${season}/${stem}.mp4`
const companions = ['.nfo', '-thumb.jpg', '.en.srt', '.zh-Hant.vtt'].map((end) => `${season}/${stem}${end}`)
const tvshow = `${show}/tvshow.nfo`

async function library(paths: readonly string[], plexLibraryPath = '/plex/videos') {
  const root = await mkdtemp(join(tmpdir(), 'medianest-removal-'))
  onTestFinished(() => rm(root, { recursive: true, force: true }))
  const path = join(root, 'library')
  await mkdir(path)
  for (const file of paths) await put(join(path, file))
  const placer = createPlacer({
    libraryDirectory: path,
    plexLibraryPath,
    outbox: { placement: () => undefined, recordPlacement: () => undefined },
    heightOf: async () => undefined,
    now: () => new Date(0),
  })
  const log = createLog({ write: () => undefined, now: () => new Date(0), secrets: [] })
  const isLibraryThere = await markLibrary(root)
  const options = { libraryDirectory: path, plexLibraryPath, placer, isLibraryThere, log }
  return { root, path, options, placer, remove: createRemover(options), files: () => filesIn(path) }
}

async function put(file: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, 'film')
}

const fileOf = (path: string, bytes = 4): PlacedFile => ({
  name: basename(path),
  bytes,
  sha256: 'a'.repeat(64),
})
const requestOf = (path: string, bytes?: number) => ({
  plexPath: `/plex/videos/${path}`,
  file: fileOf(path, bytes),
})

test('a file goes with all that was placed with it, and with the folders it leaves empty', async () => {
  const { remove, files, path } = await library([media, ...companions, tvshow])
  expect(await remove(requestOf(media))).toEqual({ outcome: 'removed', plexFolder: '/plex/videos' })
  expect(await files()).toEqual([])
  await put(join(path, media))
  expect(await remove(requestOf(media))).toMatchObject({ outcome: 'removed' })
})

test('asked again it says so, and does what an earlier try was kept from', async () => {
  const { remove, files } = await library([...companions, tvshow])
  expect(await remove(requestOf(media))).toEqual({ outcome: 'absent', plexFolder: '/plex/videos' })
  expect(await files()).toEqual([])
  expect(await remove(requestOf(media))).toEqual({ outcome: 'absent', plexFolder: '/plex/videos' })
})

test('what lies on a disk that is away is not said to be gone', async () => {
  const { options, path } = await library([media])
  const workDirectory = join(path, '.medianest')
  await mkdir(join(workDirectory, 'jobs'), { recursive: true })
  const remove = createRemover({ ...options, isLibraryThere: await markLibrary(workDirectory) })
  const away = `${path}-away`
  await rename(path, away)
  await mkdir(path)
  // A job that begins meanwhile makes its folder, and those above.
  await mkdir(join(workDirectory, 'jobs', 'another'), { recursive: true })
  expect(await remove(requestOf(media))).toEqual({ outcome: 'failed' })
  await rm(path, { recursive: true })
  expect(await remove(requestOf(media))).toEqual({ outcome: 'failed' })

  await rename(away, path)
  expect(await remove(requestOf(media))).toMatchObject({ outcome: 'removed' })
  expect(await remove(requestOf(media))).toMatchObject({ outcome: 'absent' })
})

test('what belongs to others stays', async () => {
  const version = `${season}/${stem} - 720p`
  const others = [
    `${season}/A Channel - s2025e070402 - Another [video-2].mp4`,
    `${season}/${stem}.txt`,
    ...['.mp4', '.nfo', '-thumb.jpg', '.en.srt'].map((end) => version + end),
    tvshow,
  ].toSorted((a, b) => (a < b ? -1 : 1))
  const { remove, files } = await library([media, ...companions, ...others])
  expect(await remove(requestOf(media))).toEqual({
    outcome: 'removed',
    plexFolder: `/plex/videos/${season}`,
  })
  expect(await files()).toEqual(others)
})

test('another container of the same film keeps what they share', async () => {
  const { remove, files } = await library([media, ...companions, `${season}/${stem}.mkv`])
  await remove(requestOf(media))
  expect(await files()).toHaveLength(companions.length + 1)
})

test('the folder of a channel stays for what somebody has put there', async () => {
  const { remove, files } = await library([media, tvshow, `${show}/poster.jpg`])
  expect(await remove(requestOf(media))).toEqual({ outcome: 'removed', plexFolder: `/plex/videos/${show}` })
  expect(await files()).toEqual([`${show}/poster.jpg`, tvshow])
})

test('a Plex server on Windows is understood', async () => {
  const { remove } = await library([media], 'D:\\Videos')
  const plexPath = pathForPlex('D:\\Videos', media.split('/'))
  expect(await remove({ plexPath, file: fileOf(media) })).toEqual({
    outcome: 'removed',
    plexFolder: 'D:\\Videos',
  })
})

const hidden = `.medianest/Season 2025/${stem}.mp4`
const foreign = `${season}/Holiday.mp4`
const kept = [media, ...companions, tvshow, hidden, foreign, `${show}/Season 2024/${stem}.mp4`, `${stem}.mp4`]

test.each([
  ['another size', requestOf(media, 5)],
  ['another name', { ...requestOf(media), file: fileOf(`${season}/${stem}.mkv`) }],
  ['a name that is not ours', requestOf(foreign)],
  ['what goes with a film', requestOf(`${season}/${stem}.nfo`)],
  ['the wrong season', requestOf(`${show}/Season 2024/${stem}.mp4`)],
  ['no season', requestOf(`${stem}.mp4`)],
  ['the working folder', requestOf(hidden)],
  ['a path that goes up', requestOf(`${show}/../${media}`)],
  ['a path that goes out', requestOf(`../library/${media}`)],
  ['an empty part', requestOf(`${show}//Season 2025/${stem}.mp4`)],
  ['the root', { ...requestOf(media), plexPath: '/plex/videos' }],
  ['another root', { ...requestOf(media), plexPath: `/plex/video/${media}` }],
  ['a relative path', { ...requestOf(media), plexPath: media }],
  ['NUL', requestOf(`${season}/${stem}\u0000.mp4`)],
  ['a backslash', requestOf(`A Channel\\..\\x/Season 2025/${stem}.mp4`)],
  ['a huge path', requestOf(`${'x'.repeat(1_000_000)}/Season 2025/${stem}.mp4`)],
  ['an absurd file name', requestOf(`${show}/Season 2025/${'x'.repeat(300)} ${stem}.mp4`)],
] as const)('%s is not removed', async (_what, request) => {
  const { remove, path } = await library(kept)
  const { outcome } = await remove(request)
  expect(['refused', 'failed']).toContain(outcome)
  for (const file of kept) await expect(rm(join(path, file))).resolves.toBeUndefined()
})

test.each(['file', 'season', 'show'] as const)('no link is followed: %s', async (linked) => {
  const { remove, root, path, files } = await library([])
  const outside = join(root, 'outside')
  await put(join(outside, media))
  const part = { file: media, season, show }[linked]
  await mkdir(dirname(join(path, part)), { recursive: true })
  await symlink(join(outside, part), join(path, part))
  const { size } = await lstat(join(path, media))
  expect(await remove(requestOf(media, size))).toEqual({ outcome: 'refused' })
  expect(await filesIn(outside)).toEqual([media])
  expect(await files()).toEqual([])
})

test('a library that is itself a link is one', async () => {
  const { root, path, options } = await library([media])
  const link = join(root, 'link')
  await symlink(path, link)
  const remove = createRemover({ ...options, libraryDirectory: link })
  expect(await remove(requestOf(media))).toMatchObject({ outcome: 'removed' })
})

test('nothing is removed while something is placed', async () => {
  const { remove, placer, files } = await library([media])
  const seen: string[][] = []
  const placed = placer.alone(async () => {
    for (let look = 0; look < 20; look += 1) seen.push(await files())
  })
  const removal = remove(requestOf(media))
  await placed
  expect(seen).toEqual(seen.map(() => [media]))
  expect(await removal).toMatchObject({ outcome: 'removed' })
})

test('whatever path is named, nothing but the file that is meant can be lost', async () => {
  const { remove, files } = await library([media, foreign])
  const part = fc.oneof(
    fc.constantFrom('..', '.', '', show, 'Season 2025', `${stem}.mp4`, '/', '\\', 'plex', 'videos'),
    fc.string(),
  )
  await fc.assert(
    fc.asyncProperty(
      fc.array(part, { maxLength: 6 }),
      fc.constantFrom(media, foreign),
      async (parts, named) => {
        const plexPath = parts.join('/')
        fc.pre(plexPath !== `/plex/videos/${media}`)
        expect(await remove({ plexPath, file: fileOf(named) })).toEqual({ outcome: 'refused' })
      },
    ),
    { numRuns: 200 },
  )
  expect(await files()).toHaveLength(2)
})
