import { dirname } from 'node:path'
import {
  clips,
  dashManifest,
  framesPerSecond,
  hlsManifest,
  ladderAudio,
  ladderFile,
  ladderHeights,
  ladderOpus,
  ladderSeconds,
  ladderStream,
  ladderWide,
  thumbnailOf,
  type Clip,
} from './catalogue.ts'

const words = (text: string): string[] => text.split(' ')

const exact = words('-fflags +bitexact -flags:v +bitexact -flags:a +bitexact -map_metadata -1')
// One thread: with more, the bytes depend on the machine.
const video = words('-c:v libx264 -preset ultrafast -threads 1 -pix_fmt yuv420p -crf 36')
const keyframes = words(`-g ${framesPerSecond * 2} -keyint_min ${framesPerSecond * 2} -sc_threshold 0`)
const audio = words('-c:a aac -b:a 64k -ac 1')
const encode = [...video, ...keyframes, ...audio, ...exact]
const copy = [...words('-c copy'), ...exact]
const faststart = words('-movflags +faststart')

/** Every run of ffmpeg, in order; the last argument is the file it makes, inside the media folder. */
export function recipe(): string[][] {
  return [
    ...clips.map(clipStep),
    ladderStep(),
    ...ladderHeights.map(vp9Step),
    av1Step(),
    wideStep(),
    opusStep(),
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

const vp9 = words('-c:v libvpx-vp9 -deadline realtime -cpu-used 8 -threads 1 -b:v 0 -crf 45 -pix_fmt yuv420p')
const av1 = words('-c:v libaom-av1 -usage realtime -cpu-used 8 -threads 1 -b:v 0 -crf 55 -pix_fmt yuv420p')
const opus = words('-c:a libopus -b:a 64k -ac 1')

const vp9Step = (height: (typeof ladderHeights)[number]): string[] => [
  ...picture(height, ladderSeconds),
  ...vp9,
  ...keyframes,
  ...exact,
  ladderStream(height, 'vp9'),
]

const av1Step = (): string[] => [
  ...picture(1080, ladderSeconds),
  ...av1,
  ...keyframes,
  ...exact,
  ...faststart,
  ladderStream(1080, 'av1'),
]

/** The greatest height as a cinema shows it, by having players leave lines out, of those that are coded. */
const wideStep = (): string[] => [
  '-i',
  ladderStream(1080, 'h264'),
  ...copy,
  ...words('-bsf:v h264_metadata=crop_top=138:crop_bottom=146'),
  ...faststart,
  ladderWide,
]

const opusStep = (): string[] => [...tone(440, ladderSeconds), ...opus, ...exact, ladderOpus]

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
    ladderStream(height, 'h264'),
  ])
  return [...inputs, ...outputs, '-map', `${ladderHeights.length}:a`, ...encode, ...faststart, ladderAudio]
}

function ladderInputs(heights: readonly (typeof ladderHeights)[number][]): string[] {
  const files = [...heights.map((height) => ladderStream(height, 'h264')), ladderAudio]
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
