import {
  ladderAudio,
  ladderFile,
  ladderOpus,
  ladderSeconds,
  ladderStream,
  ladderWide,
} from '../video-site/catalogue.ts'
import type { Behaviour } from '../video-site/behaviour.ts'
import type { VideoSite } from '../video-site/video-site.ts'

/** A format as yt-dlp describes those of YouTube; what is not named here may be added. */
export type YouTubeFormat = {
  readonly format_id: string
  readonly url: string
  readonly ext: string
  readonly [field: string]: unknown
}

type Source = Pick<VideoSite, 'media'>
type Height = 360 | 720 | 1080

const widthOf = (height: Height): number => (height * 16) / 9
const qualities: Readonly<Record<Height, number>> = { 360: 6, 720: 8, 1080: 9 }
const framesPerSecond = 12

const pictures = [
  ['134', 360, 'h264', 'mp4', 'avc1.4D401E'],
  ['136', 720, 'h264', 'mp4', 'avc1.64001F'],
  ['137', 1080, 'h264', 'mp4', 'avc1.640028'],
  ['243', 360, 'vp9', 'webm', 'vp9'],
  ['247', 720, 'vp9', 'webm', 'vp9'],
  ['248', 1080, 'vp9', 'webm', 'vp9'],
  ['399', 1080, 'av1', 'mp4', 'av01.0.08M.08'],
] as const

const sounds = [
  ['140', ladderAudio, 'm4a', 'mp4a.40.2'],
  ['251', ladderOpus, 'webm', 'opus'],
] as const

const kilobits = (bytes: number): number => Math.round((bytes * 8) / ladderSeconds) / 1000

/** What YouTube offers of a film today: picture and sound apart, and one old file of both in 360 lines. */
export function youTubeFormats(site: Source, behaviour: Behaviour = {}): YouTubeFormat[] {
  return [
    storyboard(site),
    ...sounds.map(([id, file, ext, codec]) => sound(site.media(file, behaviour), { id, ext, codec })),
    lowFormat(site, behaviour),
    ...pictures.map(([id, height, kind, ext, codec]) =>
      picture(site.media(ladderStream(height, kind), behaviour), { id, height, ext, codec }),
    ),
  ]
}

/** What it offers of a film in CinemaScope: 1440p in VP9 alone, and 1080p that is to be had in H.264 too. */
export function wideFormats(site: Source, behaviour: Behaviour = {}): YouTubeFormat[] {
  const sizes: Readonly<Record<string, readonly [id: string, width: number, height: number, file?: string]>> =
    {
      '248': ['271', 2560, 1072],
      '399': ['399', 1920, 804],
      '137': ['137', 1920, 804, ladderWide],
      '136': ['136', 1280, 536],
      '134': ['134', 640, 268],
    }
  return youTubeFormats(site, behaviour).flatMap((format) => {
    if (format['vcodec'] === 'none') return [format]
    const [format_id, width, height, file] = sizes[format.format_id] ?? []
    if (format_id === undefined) return []
    const url = file === undefined ? format.url : site.media(file, behaviour).url
    return [{ ...format, format_id, url, width, height }]
  })
}

/** All that is left where YouTube's challenges are not met. */
export function lowFormats(site: Source, behaviour: Behaviour = {}): YouTubeFormat[] {
  return [storyboard(site), lowFormat(site, behaviour)]
}

type Media = ReturnType<Source['media']>

function picture(
  { url, bytes }: Media,
  { id, height, ext, codec }: { id: string; height: Height; ext: string; codec: string },
): YouTubeFormat {
  return {
    ...common(id, url, ext),
    ...frame(height),
    filesize: bytes,
    tbr: kilobits(bytes),
    vbr: kilobits(bytes),
    vcodec: codec,
    acodec: 'none',
    container: `${ext}_dash`,
  }
}

function sound(
  { url, bytes }: Media,
  { id, ext, codec }: { id: string; ext: string; codec: string },
): YouTubeFormat {
  return {
    ...common(id, url, ext),
    format_note: 'medium',
    quality: 3,
    filesize: bytes,
    tbr: kilobits(bytes),
    abr: kilobits(bytes),
    asr: 44_100,
    audio_channels: 1,
    vcodec: 'none',
    acodec: codec,
    language: 'en',
    language_preference: -1,
    container: `${ext}_dash`,
  }
}

function lowFormat(site: Source, behaviour: Behaviour): YouTubeFormat {
  const { url, bytes } = site.media(ladderFile(360), behaviour)
  return {
    ...common('18', url, 'mp4'),
    ...frame(360),
    filesize_approx: bytes,
    tbr: kilobits(bytes),
    vcodec: 'avc1.42001E',
    acodec: 'mp4a.40.2',
    audio_channels: 1,
    language: 'en',
    language_preference: -1,
  }
}

function storyboard(site: Source): YouTubeFormat {
  const { url } = site.media('thumbnails/ladder.jpg')
  return {
    ...common('sb0', url, 'mhtml'),
    format_note: 'storyboard',
    protocol: 'mhtml',
    vcodec: 'none',
    acodec: 'none',
    width: 320,
    height: 180,
    fps: 1,
    rows: 3,
    columns: 3,
    fragments: [{ url, duration: ladderSeconds }],
  }
}

const common = (id: string, url: string, ext: string): YouTubeFormat => ({
  format_id: id,
  url,
  ext,
  has_drm: false,
  source_preference: -1,
})

const frame = (height: Height): Record<string, unknown> => ({
  format_note: `${height}p`,
  quality: qualities[height],
  width: widthOf(height),
  height,
  fps: framesPerSecond,
  dynamic_range: 'SDR',
})
