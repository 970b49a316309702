import { ladderSeconds, ladderThumbnail, subtitleFile } from '../video-site/catalogue.ts'
import type { Behaviour } from '../video-site/behaviour.ts'
import type { VideoSite } from '../video-site/video-site.ts'
import { lowFormats, youTubeFormats, type YouTubeFormat } from './formats.ts'

/** A video of YouTube, whose media comes from the video site. Only the id must be said. */
export type YouTubeVideo = {
  /** Eleven characters. */
  readonly id: string
  readonly title?: string
  readonly channel?: string
  readonly channelId?: string
  readonly description?: string
  /** As yt-dlp writes it: `20260314`. */
  readonly uploadDate?: string
  readonly chapters?: readonly { readonly title: string; readonly start: number; readonly end: number }[]
  /** Languages; the site has en, de and ar, and any other is served in English. */
  readonly subtitles?: readonly string[]
  readonly automaticCaptions?: readonly string[]
  readonly availability?:
    | 'public'
    | 'unlisted'
    | 'subscriber_only'
    | 'private'
    | 'needs_auth'
    | 'premium_only'
  readonly liveStatus?: 'not_live' | 'is_live' | 'is_upcoming' | 'was_live' | 'post_live'
  readonly releaseTimestamp?: number
  readonly ageLimit?: number
  /** How the site serves the media of this video. */
  readonly behaviour?: Behaviour
  readonly formats?: readonly YouTubeFormat[]
  /** Anything else, over what is made of the above. */
  readonly info?: Readonly<Record<string, unknown>>
}

/** How much of a video there is to be had: all of it, 360 lines, or its description alone. */
export const extents = ['whole', 'low', 'bare'] as const
export type Extent = (typeof extents)[number]

const languages: Readonly<Record<string, string>> = {
  en: 'English',
  de: 'German',
  ar: 'Arabic',
  fr: 'French',
}

/**
 * What yt-dlp makes of the video's page, as it is given back to it by `--load-info-json`. It has no `webpage_url`:
 * with one, a yt-dlp whose download failed would go and ask YouTube itself.
 */
export function youTubeInfo(
  video: YouTubeVideo,
  site: Pick<VideoSite, 'media'>,
  extent: Extent,
): Record<string, unknown> {
  const { id, title = `A film called ${id}`, channel = 'A Channel & Company', behaviour = {} } = video
  const { channelId = 'UC0123456789abcdefghij_-', liveStatus = 'not_live' } = video
  const { url: thumbnail } = site.media(ladderThumbnail)
  return {
    id,
    title,
    extractor: 'youtube',
    extractor_key: 'Youtube',
    description: video.description ?? `All about ${id}.\nIn two lines.`,
    channel,
    channel_id: channelId,
    channel_url: `https://www.youtube.com/channel/${channelId}`,
    uploader: channel,
    uploader_id: '@a-channel',
    upload_date: video.uploadDate ?? '20260314',
    duration: ladderSeconds,
    view_count: 12_345,
    age_limit: video.ageLimit ?? 0,
    categories: ['Education'],
    tags: ['test'],
    availability: video.availability ?? 'public',
    live_status: liveStatus,
    playable_in_embed: true,
    media_type: 'video',
    chapters:
      video.chapters?.map(({ title, start, end }) => ({ title, start_time: start, end_time: end })) ?? null,
    ...(video.releaseTimestamp === undefined ? {} : { release_timestamp: video.releaseTimestamp }),
    thumbnail,
    thumbnails: [
      { id: '0', url: thumbnail, preference: -7 },
      { id: '1', url: thumbnail, preference: 0, width: 640, height: 360 },
    ],
    subtitles: tracks(video.subtitles ?? [], site),
    automatic_captions: tracks(video.automaticCaptions ?? [], site),
    formats: formatsOf(video, site, extent, behaviour),
    ...video.info,
  }
}

function formatsOf(
  { formats }: YouTubeVideo,
  site: Pick<VideoSite, 'media'>,
  extent: Extent,
  behaviour: Behaviour,
): readonly YouTubeFormat[] {
  if (extent === 'bare') return []
  return extent === 'low' ? lowFormats(site, behaviour) : (formats ?? youTubeFormats(site, behaviour))
}

function tracks(wanted: readonly string[], site: Pick<VideoSite, 'media'>): Record<string, unknown> {
  return Object.fromEntries(
    wanted.map((language) => {
      const file = subtitleFile(language === 'de' || language === 'ar' ? language : 'en')
      return [
        language,
        [{ ext: 'vtt', url: site.media(file).url, name: languages[language.slice(0, 2)] ?? language }],
      ]
    }),
  )
}

/** A playlist as yt-dlp lists it without looking at its videos. */
export type YouTubePlaylist = {
  readonly id: string
  readonly title?: string
  readonly channel?: string
  readonly videos: readonly Pick<YouTubeVideo, 'id' | 'title' | 'channel' | 'availability' | 'liveStatus'>[]
}

export function playlistInfo({ id, title, channel, videos }: YouTubePlaylist): Record<string, unknown> {
  return {
    _type: 'playlist',
    id,
    title: title ?? `A playlist of ${videos.length}`,
    channel: channel ?? 'A Channel & Company',
    extractor: 'youtube:tab',
    extractor_key: 'YoutubeTab',
    webpage_url: `https://www.youtube.com/playlist?list=${id}`,
    playlist_count: videos.length,
    entries: videos.map((video) => ({
      _type: 'url',
      ie_key: 'Youtube',
      id: video.id,
      url: `https://www.youtube.com/watch?v=${video.id}`,
      title: video.title ?? `A film called ${video.id}`,
      channel: video.channel ?? 'A Channel & Company',
      duration: ladderSeconds,
      ...(video.availability === undefined ? {} : { availability: video.availability }),
      ...(video.liveStatus === undefined ? {} : { live_status: video.liveStatus }),
    })),
  }
}
