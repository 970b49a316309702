import { execFile } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { editionMark } from '../../downloader/naming.ts'
import type { PlaceRequest } from '../../downloader/placement.ts'
import { filesIn } from './support/launch.ts'
import { library, metadata, request } from './support/placing.ts'

const never = new AbortController().signal
const base = 'A Channel/Season 2025/A Channel - s2025e070401 - A Title [video-1]'

test('a video, its thumbnail and its description stand side by side', async () => {
  const { path, placer } = await library()
  const placement = await placer.place(await request(path, 'job-1', 'media'), never)
  expect(await filesIn(path)).toEqual([
    `${base}-thumb.jpg`,
    `${base}.mp4`,
    `${base}.nfo`,
    'A Channel/tvshow.nfo',
  ])
  expect(placement).toMatchObject({ plexPath: `/plex/${base}.mp4`, path: join(path, `${base}.mp4`) })
  expect(await readFile(join(path, `${base}.nfo`), 'utf8')).toContain('<episode>70401</episode>')
})

test('videos of one day that arrive at once get different numbers', async () => {
  const { path, placer } = await library()
  const requests = await Promise.all(
    [1, 2, 3, 4].map((number) => request(path, `job-${number}`, 'media', { videoId: `video-${number}` })),
  )
  const placed = await Promise.all(requests.map((each) => placer.place(each, never)))
  expect(placed.map(({ file }) => /e0704(\d\d)/.exec(file.name)?.[1]).sort()).toEqual([
    '01',
    '02',
    '03',
    '04',
  ])
})

test('the same video again takes the place of the first, though its title has changed', async () => {
  const { path, placer } = await library()
  await placer.place(await request(path, 'job-1', 'media'), never)
  await placer.place(
    await request(path, 'job-2', 'newer', { metadata: metadata({ title: 'Another Title' }) }),
    never,
  )
  expect(await filesIn(path)).toEqual([
    `${base}-thumb.jpg`,
    `${base}.mp4`,
    `${base}.nfo`,
    'A Channel/tvshow.nfo',
  ])
  expect(await readFile(join(path, `${base}.mp4`), 'utf8')).toBe('newer')
})

test('a smaller size does not destroy a larger one', async () => {
  const { path, placer } = await library({ large: 1080, small: 360 })
  const large = await request(path, 'job-1', 'large')
  await placer.place({ ...large, facts: { ...large.facts, heightPixels: 1080 } }, never)
  const small = await request(path, 'job-2', 'small')
  const placed = await placer.place({ ...small, facts: { ...small.facts, heightPixels: 360 } }, never)
  expect(placed.file.name).toBe('A Channel - s2025e070401 - A Title [video-1] - 360p.mp4')
  expect(await readFile(join(path, `${base}.mp4`), 'utf8')).toBe('large')
  expect(await readFile(join(path, `${base} - 360p.mp4`), 'utf8')).toBe('small')
})

test('a film that was cut stands beside the one that was not, with companions of its own', async () => {
  const { path, placer } = await library({ whole: 1080, short: 1080 })
  const facts = { heightPixels: 1080 }
  const whole = await request(path, 'job-1', 'whole')
  await placer.place({ ...whole, facts: { ...whole.facts, ...facts } }, never)
  const cut = await request(path, 'job-2', 'short', { edition: 'cut' })
  const placed = await placer.place({ ...cut, facts: { ...cut.facts, ...facts } }, never)
  const again = await request(path, 'job-3', 'short', { edition: 'cut' })
  expect((await placer.place({ ...again, facts: { ...again.facts, ...facts } }, never)).path).toBe(
    placed.path,
  )
  expect(await readFile(join(path, `${base}.mp4`), 'utf8')).toBe('whole')
  const mark = editionMark('cut')
  expect(await filesIn(path)).toEqual(
    [
      ...['', mark].flatMap((edition) =>
        ['-thumb.jpg', '.mp4', '.nfo'].map((end) => `${base}${edition}${end}`),
      ),
      'A Channel/tvshow.nfo',
    ].toSorted(),
  )
})

test('a video without a date keeps the day it was first placed under', async () => {
  const { path, placer } = await library()
  const { uploadDate: _, ...undated } = metadata()
  await mkdir(join(path, 'A Channel/Season 2024'), { recursive: true })
  const older = 'A Channel/Season 2024/A Channel - s2024e123102 - A Title [video-1].mp4'
  await writeFile(join(path, older), 'older')
  const placed = await placer.place(await request(path, 'job-1', 'media', { metadata: undated }), never)
  expect(placed.path).toBe(join(path, older))
  const other = await placer.place(
    await request(path, 'job-2', 'media', { metadata: undated, videoId: 'video-2' }),
    never,
  )
  expect(other.file.name).toBe('A Channel - s2026e020301 - A Title [video-2].mp4')
})

test('a hostile channel and title stay inside the library', async () => {
  const { path, placer } = await library()
  const placed = await placer.place(
    await request(path, 'job-1', 'media', {
      channel: '../../..',
      metadata: metadata({ title: '../../../../tmp/evil\0' }),
    }),
    never,
  )
  expect(placed.path.startsWith(`${path}/`)).toBe(true)
  expect(await filesIn(path)).toContain(placed.path.slice(path.length + 1))
})

test('a job cancelled before its turn leaves nothing', async () => {
  const { path, placer, records } = await library()
  const cancelled = AbortSignal.abort('cancelled')
  await expect(placer.place(await request(path, 'job-1', 'media'), cancelled)).rejects.toBe('cancelled')
  expect(await filesIn(path)).toEqual([])
  expect(records.size).toBe(0)
})

test('a job cancelled while its film is written to the disk does not wait for the disk', async () => {
  const { path, placer } = await library()
  const asked = await request(path, 'job-1', 'media')
  // Nobody writes to a pipe: to open it takes for ever.
  const media = join(asked.scratch, 'pipe.mp4')
  await promisify(execFile)('mkfifo', [media])
  const controller = new AbortController()
  const placing = placer.place({ ...asked, media }, controller.signal)
  controller.abort('cancelled')
  await expect(placing).rejects.toBe('cancelled')
  await writeFile(media, '')
  expect(await filesIn(path)).toEqual([])
})

test('a placement that fails at the last step leaves nothing', async () => {
  const { path, placer } = await library()
  const broken = await request(path, 'job-1', 'media')
  // A folder where the media should go cannot be replaced by a file.
  await mkdir(join(path, `${base}.mp4`, 'x'), { recursive: true })
  await expect(placer.place(broken, never)).rejects.toThrow()
  expect(await filesIn(path)).toEqual([])
})

test('what was placed is recognised by its content, and only while it is there', async () => {
  const { path, placer } = await library()
  const placement = await placer.place(await request(path, 'job-1', 'media'), never)
  expect(await placer.recover('job-1')).toEqual(placement)
  expect(await placer.recover('job-2')).toBeUndefined()
  await writeFile(placement.path, 'madia')
  expect(await placer.recover('job-1')).toBeUndefined()
  await rm(placement.path)
  expect(await placer.recover('job-1')).toBeUndefined()
})

async function subtitles(scratch: string, ...languages: string[]): Promise<PlaceRequest['sidecars']> {
  return Promise.all(
    languages.map(async (language) => {
      const file = join(scratch, `media.${language}.srt`)
      await writeFile(file, language)
      return { language, file, extension: 'srt' }
    }),
  )
}

test('subtitles stand beside the media under its name, and go when what takes its place has others', async () => {
  const { path, placer } = await library()
  const first = await request(path, 'job-1', 'media')
  await placer.place({ ...first, sidecars: await subtitles(first.scratch, 'en', 'pt-BR') }, never)
  expect((await filesIn(path)).filter((name) => name.endsWith('.srt'))).toEqual([
    `${base}.en.srt`,
    `${base}.pt-BR.srt`,
  ])
  const second = await request(path, 'job-2', 'newer')
  await placer.place({ ...second, sidecars: await subtitles(second.scratch, 'en') }, never)
  expect((await filesIn(path)).filter((name) => name.endsWith('.srt'))).toEqual([`${base}.en.srt`])
})

test('the subtitles of one size or container are left alone by another', async () => {
  const { path, placer } = await library({ large: 1080, small: 360 })
  const large = await request(path, 'job-1', 'large')
  await placer.place(
    {
      ...large,
      facts: { ...large.facts, heightPixels: 1080 },
      sidecars: await subtitles(large.scratch, 'en'),
    },
    never,
  )
  const small = await request(path, 'job-2', 'small')
  await placer.place(
    {
      ...small,
      facts: { ...small.facts, heightPixels: 360 },
      sidecars: await subtitles(small.scratch, 'de'),
    },
    never,
  )
  const other = await request(path, 'job-3', 'other')
  const webm = other.media.replace('.mp4', '.webm')
  await writeFile(webm, 'other')
  await placer.place({ ...other, media: webm }, never)
  expect((await filesIn(path)).filter((name) => name.includes('.srt'))).toEqual([
    `${base} - 360p.de.srt`,
    `${base}.en.srt`,
  ])
})

test('subtitles of a placement that fails are taken away again', async () => {
  const { path, placer } = await library()
  const broken = await request(path, 'job-1', 'media')
  await mkdir(join(path, `${base}.mp4`, 'x'), { recursive: true })
  const sidecars = await subtitles(broken.scratch, 'en')
  await expect(placer.place({ ...broken, sidecars }, never)).rejects.toThrow()
  expect(await filesIn(path)).toEqual([])
})
