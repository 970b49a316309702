import * as z from 'zod'

import { CollectionTitle } from './collection-title.ts'

export const qualities = ['best', '2160p', '1440p', '1080p', '720p', '480p', '360p'] as const
export const Quality = z.enum(qualities)
export type Quality = z.output<typeof Quality>

export const videoFormats = ['mp4', 'webm', 'mkv'] as const
export const audioFormats = ['m4a', 'mp3', 'opus'] as const
export const formats = [...videoFormats, ...audioFormats] as const
export const Format = z.enum(formats)
export type Format = z.output<typeof Format>

export const isAudio = (format: Format): boolean => (audioFormats as readonly Format[]).includes(format)

/** A BCP 47 tag. yt-dlp reads patterns here, so nothing but letters, digits and dashes, and `all` is no language. */
const Language = z
  .string()
  .regex(/^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8}){0,3}$/)
  .refine((tag) => tag.toLowerCase() !== 'all')

export const Subtitles = z.strictObject({
  languages: z.array(Language).min(1).max(10),
  delivery: z.enum(['embed', 'sidecar']).default('embed'),
  automatic: z
    .boolean()
    .default(false)
    .meta({ description: 'Take what the site’s machine has heard where nobody has written subtitles' }),
})
export type Subtitles = z.output<typeof Subtitles>

/** https://wiki.sponsor.ajay.app/w/Types, those that name a span of time. */
export const sponsorCategories = [
  'sponsor',
  'intro',
  'outro',
  'selfpromo',
  'preview',
  'filler',
  'interaction',
  'music_offtopic',
] as const

export const SponsorBlock = z.strictObject({
  action: z.enum(['mark', 'remove']),
  categories: z.array(z.enum(sponsorCategories)).min(1).max(sponsorCategories.length).default(['sponsor']),
})
export type SponsorBlock = z.output<typeof SponsorBlock>

/** What is made of a video besides picture and sound. */
export const DownloadExtras = z.strictObject({
  subtitles: Subtitles.optional(),
  sponsorBlock: SponsorBlock.optional(),
  chapters: z.boolean().default(true).meta({ description: 'Keep the chapters in the file' }),
  thumbnail: z.boolean().default(true).meta({ description: 'Put the thumbnail beside the file' }),
})
export type DownloadExtras = z.output<typeof DownloadExtras>

/** All that decides what the file will be: two downloads of a video with the same are the same work. */
export const DownloadOptions = z.object({ quality: Quality, format: Format, extras: DownloadExtras })
export type DownloadOptions = z.output<typeof DownloadOptions>

const presetOptions = {
  'plex-direct-play': { quality: '1080p', format: 'mp4' },
  'best-quality': { quality: 'best', format: 'mkv' },
  small: { quality: '480p', format: 'mp4' },
  audio: { quality: 'best', format: 'm4a' },
} as const satisfies Record<string, Pick<DownloadOptions, 'quality' | 'format'>>

type PresetName = keyof typeof presetOptions
const isPreset = (name: string): name is PresetName => Object.hasOwn(presetOptions, name)

export const Preset = z.enum(Object.keys(presetOptions).filter(isPreset))

const videoAddress = z.string().min(1).max(2048)

const wishes = {
  preset: Preset.default('plex-direct-play').meta({
    description:
      'What is not said below: 1080p mp4 that Plex plays as it is, best mkv, 480p mp4, or sound alone',
  }),
  quality: Quality.optional().meta({ description: 'The greatest height; overrides the preset' }),
  format: Format.optional().meta({ description: 'The container, or sound alone; overrides the preset' }),
  ...DownloadExtras.shape,
}

type Wishes = z.output<z.ZodObject<typeof wishes>>

/** What is asked for, with the preset's word on what is not. */
export function resolveOptions({ preset, quality, format, ...rest }: Wishes): DownloadOptions {
  const base = presetOptions[preset]
  const { subtitles, sponsorBlock, chapters, thumbnail } = rest
  return {
    quality: quality ?? base.quality,
    format: format ?? base.format,
    extras: {
      ...(subtitles && { subtitles }),
      ...(sponsorBlock && { sponsorBlock }),
      chapters,
      thumbnail,
    },
  }
}

const soundHasNoSubtitles = {
  error: 'A file of sound alone holds no subtitles',
  path: ['subtitles'],
}
const hasRoomForSubtitles = (asked: Wishes): boolean =>
  asked.subtitles === undefined || !isAudio(resolveOptions(asked).format)

export const DownloadRequest = z
  .strictObject({
    url: videoAddress.meta({ description: 'A YouTube address, or one on a host the operator allows' }),
    ...wishes,
  })
  .refine(hasRoomForSubtitles, soundHasNoSubtitles)
  .meta({ id: 'DownloadRequest' })
export type DownloadRequest = z.output<typeof DownloadRequest>

/** More than this many videos are not taken from a playlist in one request. */
export const maxPlaylistVideos = 50

export const PlaylistRequest = z
  .strictObject({
    url: videoAddress.meta({ description: 'The address of a playlist' }),
    limit: z.int().min(1).max(maxPlaylistVideos).default(maxPlaylistVideos),
    collection: CollectionTitle.optional().meta({
      description: 'A Plex collection that the videos join once Plex shows them; admins only',
    }),
    ...wishes,
  })
  .refine(hasRoomForSubtitles, soundHasNoSubtitles)
  .meta({ id: 'PlaylistRequest' })
export type PlaylistRequest = z.output<typeof PlaylistRequest>
