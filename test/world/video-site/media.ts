import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import {
  clips,
  dashManifest,
  framesPerSecond,
  hlsManifest,
  ladderAudio,
  ladderFile,
  ladderHeights,
  ladderSeconds,
  thumbnailOf,
  type Clip,
} from './catalogue.ts'

const execute = promisify(execFile)

const words = (text: string): string[] => text.split(' ')

const exact = words('-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1')
// One thread: with more, the bytes depend on the machine.
const video = words('-c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv420p -crf 36')
const keyframes = words(`-g ${framesPerSecond * 2} -keyint_min ${framesPerSecond * 2} -sc_threshold 0`)
const audio = words('-c:a aac -b:a 64k -ac 1')
const encode = [...video, ...keyframes, ...audio, ...exact]
const copy = [...words('-c copy'), ...exact]
const faststart = words('-movflags +faststart')

/** Makes the site's media once; another process that makes it at the same time does no harm. Answers its folder. */
export async function makeMedia(folder: string, ffmpeg: string): Promise<string> {
  const steps = recipe()
  const print = createHash('sha256')
    .update(JSON.stringify([steps, hlsMaster]))
    .digest('hex')
    .slice(0, 12)
  const made = join(folder, `media-${print}`)
  if (await exists(made)) return made
  const draft = join(folder, `draft-${print}-${process.pid}-${performance.now()}`)
  try {
    for (const args of steps) {
      const target = join(draft, args.at(-1) ?? '')
      await mkdir(dirname(target), { recursive: true })
      await execute(ffmpeg, ['-nostdin', '-v', 'error', '-y', ...args], { cwd: draft, timeout: 120_000 })
    }
    await writeFile(join(draft, hlsManifest), hlsMaster)
    await rename(draft, made).catch(async (error: unknown) => {
      if (!(await exists(made))) throw error
    })
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  return made
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

const levels: Readonly<Record<(typeof ladderHeights)[number], string>> = { 360: '16', 720: '1f', 1080: '28' }

// ffmpeg leaves the codecs out of a playlist it only copies into, and without them nobody sees that the sound is apart.
const hlsMaster = [
  '#EXTM3U',
  '#EXT-X-VERSION:6',
  '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="sound",NAME="English",DEFAULT=YES,LANGUAGE="en",URI="3.m3u8"',
  ...ladderHeights.flatMap((height, index) => [
    `#EXT-X-STREAM-INF:BANDWIDTH=${height * 3600},RESOLUTION=${(height * 16) / 9}x${height},FRAME-RATE=${framesPerSecond}.000,CODECS="avc1.42c0${levels[height]},mp4a.40.2",AUDIO="sound"`,
    `${index}.m3u8`,
  ]),
  '',
].join('\n')

/** Every run of ffmpeg, in order; the last argument is the file it makes, inside the media folder. */
function recipe(): string[][] {
  return [
    ...clips.map(clipStep),
    ladderStep(),
    ...ladderHeights.map((height) => [...ladderInputs([height]), ...copy, ...faststart, ladderFile(height)]),
    hlsStep(),
    dashStep(),
    ...clips.map((clip) => thumbnailStep(clip.file, thumbnailOf(clip))),
    thumbnailStep(ladderFile(720), 'thumbnails/ladder.jpg'),
  ]
}

const picture = (height: number, seconds: number): string[] =>
  words(
    `-f lavfi -i testsrc2=size=${(height * 16) / 9}x${height}:rate=${framesPerSecond}:duration=${seconds}`,
  )

const tone = (hertz: number, seconds: number): string[] =>
  words(`-f lavfi -i sine=frequency=${hertz}:sample_rate=44100:duration=${seconds}`)

function clipStep({ file, seconds, height, hue }: Clip): string[] {
  const inputs = [...picture(height, seconds), ...tone(220 + hue, seconds)]
  return [...inputs, ...(hue ? ['-vf', `hue=h=${hue}`] : []), ...encode, ...faststart, file]
}

const silentFile = (height: number): string => `ladder/silent-${height}.mp4`

/** All heights and the sound in one run, each in a file of its own. */
function ladderStep(): string[] {
  const inputs = [
    ...ladderHeights.flatMap((height) => picture(height, ladderSeconds)),
    ...tone(440, ladderSeconds),
  ]
  const outputs = ladderHeights.flatMap((height, index) => [
    '-map',
    `${index}:v`,
    ...encode,
    ...faststart,
    silentFile(height),
  ])
  return [...inputs, ...outputs, '-map', `${ladderHeights.length}:a`, ...encode, ...faststart, ladderAudio]
}

function ladderInputs(heights: readonly number[]): string[] {
  const files = [...heights.map(silentFile), ladderAudio]
  return [...files.flatMap((file) => ['-i', file]), ...files.flatMap((_, index) => ['-map', String(index)])]
}

function hlsStep(): string[] {
  const streams = ladderHeights.map((_, index) => `v:${index},agroup:sound`)
  const folder = dirname(hlsManifest)
  return [
    ...ladderInputs(ladderHeights),
    ...copy,
    ...words('-f hls -hls_time 4 -hls_playlist_type vod -hls_flags independent_segments'),
    '-var_stream_map',
    [...streams, 'a:0,agroup:sound,default:yes,language:en'].join(' '),
    '-hls_segment_filename',
    `${folder}/%v-%03d.ts`,
    `${folder}/%v.m3u8`,
  ]
}

function dashStep(): string[] {
  return [
    ...ladderInputs(ladderHeights),
    ...copy,
    ...words('-f dash -seg_duration 4 -init_seg_name $RepresentationID$-init.m4s'),
    ...words('-media_seg_name $RepresentationID$-$Number%03d$.m4s'),
    '-adaptation_sets',
    'id=0,streams=v id=1,streams=a',
    dashManifest,
  ]
}

function thumbnailStep(from: string, to: string): string[] {
  return [...words(`-ss 2 -i ${from} -frames:v 1 -vf scale=640:360 -q:v 5`), ...exact, to]
}
