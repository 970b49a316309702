import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import type { VideoKind } from '../world/video-site/catalogue.ts'
import { evidenceOf } from '../../downloader/ytdlp/failure.ts'
import { openFetching, placed, warningsOf, type Fetching } from './support/fetching.ts'

let place: Fetching

beforeAll(async () => {
  place = await openFetching()
})
afterAll(() => place.close())

const address = (kind: VideoKind): string => place.site.video(kind).url
const small = { quality: '360p', extras: { chapters: true, thumbnail: false } } as const

const quote = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`

/** The real yt-dlp with something done to it: `run` stands for the real call. */
async function meddled(name: string, script: (run: string) => string): Promise<string> {
  const folder = join(place.scratch, 'programs', name)
  await mkdir(folder, { recursive: true })
  const program = join(folder, 'yt-dlp')
  await writeFile(program, `#!/bin/sh\n${script(`${quote(inject('tools').ytDlp)} "$@"`)}\n`)
  await chmod(program, 0o755)
  return program
}

const withOptions = (options: string) => (run: string) => `set -- ${options} "$@"; exec ${run}`

// Each of these ends with code 0, and with no film.
test.concurrent.each([
  ['a film over a size that was set', withOptions('--max-filesize 1k'), 'skipped', /max-filesize/],
  [
    'a film that a filter rejects',
    withOptions(`--match-filters 'duration > 9999'`),
    'skipped',
    /does not pass filter/,
  ],
  [
    'a film in an archive of what was fetched',
    (run: string) => `echo "generic subtitled" > "$TMPDIR/archive"
set -- --download-archive "$TMPDIR/archive" "$@"; exec ${run}`,
    'skipped',
    /already been recorded in the archive/,
  ],
  [
    'a file that is gone again',
    (run: string) => `${run}; code=$?; rm -f finished/media.*; exit $code`,
    'invalid-result',
    /^the file is not there$/,
  ],
  [
    'an empty file',
    (run: string) => `${run}; code=$?; : > finished/media.mp4; exit $code`,
    'invalid-result',
    /^the file is empty or not where it belongs$/,
  ],
  [
    'two files where one was asked for',
    (run: string) => `${run} | sed -e '/"kind":"file"/{p;s/media/other/}'`,
    'invalid-result',
    /^2 files came where one was wanted$/,
  ],
  [
    'a file elsewhere',
    (run: string) => `${run} | sed -e '/"kind":"file"/s|/finished/media|/partial/../../elsewhere|'`,
    'invalid-result',
    /^the file is not there$/,
  ],
  [
    'half a film',
    (run: string) =>
      `${run}; code=$?; cd finished; ${quote(inject('tools').ffmpeg)} -v error -i media.mp4 -t 5 -c copy half.mp4; mv half.mp4 media.mp4; exit $code`,
    'invalid-result',
    /^12 s expected, 5(?:\.\d)? s found$/,
  ],
] as const)('%s is a failure that says why', async (name, script, code, why) => {
  const ytDlp = await meddled(name.replace(/\W/g, '-'), script)
  const got = await place.fetch(address('subtitled'), small, { ytDlp })
  expect(got.placement).toBe(code)
  expect(got.result.run.exitCode).toBe(0)
  expect(evidenceOf(got.result.run, [], got.why).at(-1)).toMatch(why)
})

test.concurrent('without ffmpeg two halves are a failure that names it', async () => {
  const got = await place.fetch(address('dash'), small, { ffmpeg: '/nowhere/ffmpeg' })
  expect(got.placement).toBe('ffmpeg-missing')
})

test.concurrent('a good film is taken, whatever yt-dlp says at the end', async () => {
  const ytDlp = await meddled(
    'complaining',
    (run) => `${run}; echo 'ERROR: Something went wrong' >&2; exit 1`,
  )
  const got = await place.fetch(address('direct'), small, { ytDlp })
  expect(placed(got).file.heightPixels).toBeGreaterThan(0)
  expect(warningsOf(got)).toContain('finished-with-errors')
})

test.concurrent('a step that fails and that the film can do without costs no film', async () => {
  const ffmpeg = join(place.scratch, 'programs', 'ffmpeg-without-metadata')
  await mkdir(ffmpeg, { recursive: true })
  const { ffmpeg: real, ffprobe } = inject('tools')
  const find = (program: string): string =>
    program.includes('/') ? program : `$(PATH=/usr/local/bin:/usr/bin:/bin command -v ${program})`
  await writeFile(
    join(ffmpeg, 'ffmpeg'),
    `#!/bin/sh\ncase "$*" in *"-metadata title="*) echo 'Conversion failed!' >&2; exit 1 ;; esac\nexec ${find(real)} "$@"\n`,
  )
  await writeFile(join(ffmpeg, 'ffprobe'), `#!/bin/sh\nexec ${find(ffprobe)} "$@"\n`)
  for (const name of ['ffmpeg', 'ffprobe']) await chmod(join(ffmpeg, name), 0o755)
  const got = await place.fetch(address('direct'), small, { ffmpeg: join(ffmpeg, 'ffmpeg') })
  expect(placed(got).file.videoCodec).toBe('h264')
  expect(warningsOf(got)).toContain('finished-with-errors')
})

test.concurrent.each([
  ['a broadcast that is under way', 'live', 'live-processing'],
  ['an HLS film with a hole', 'holed', 'not-found'],
] as const)('%s is refused', async (_, kind, code) => {
  const got = await place.fetch(address(kind), small)
  expect(got.placement).toBe(code)
  expect(got.findings).toBeUndefined()
})

test.concurrent('an HLS film that ends too soon is a failure', async () => {
  const got = await place.fetch(place.site.watch('hls', { cut: 20_000 }), small)
  expect(['truncated', 'network']).toContain(got.placement)
})

test('nothing of all that failed is in the library', async () => {
  const files = await place.files()
  expect(files.filter((name) => name.endsWith('.mp4'))).toHaveLength(2)
  expect(files.filter((name) => /subtitle|HLS|DASH|hole|live/i.test(name))).toEqual([])
})
