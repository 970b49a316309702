import * as z from 'zod'
import { VideoMetadata } from '#contract/downloads.ts'
import { qualities } from '#contract/options.ts'
import type { Quality } from '#contract/options.ts'
import type { RawFormat, RawMetadata } from './records.ts'

const longestDescription = 5000
const longestTitle = 500

/** yt-dlp's account of a video in our words; what is missing or malformed is left out. */
export function toVideoMetadata(info: RawMetadata, formats: readonly RawFormat[]): VideoMetadata {
  const pictures = formats.filter(({ height, vcodec }) => vcodec !== 'none' && (height ?? 0) > 0)
  const live = liveStates[info.live_status ?? '']
  const channel = [info.channel, info.uploader, info.uploader_id].find((name) => name?.trim())
  const uploadDate = /^(\d{4})(\d{2})(\d{2})$/
    .exec(info.upload_date ?? '')
    ?.slice(1)
    .join('-')
  const optional = {
    channel: channel?.trim().slice(0, longestTitle),
    durationSeconds: info.duration,
    thumbnail: z.url({ protocol: /^https?$/ }).safeParse(info.thumbnail).data,
    description: info.description?.slice(0, longestDescription) || undefined,
    uploadDate: z.iso.date().safeParse(uploadDate).data,
    viewCount: info.view_count === undefined ? undefined : Math.trunc(info.view_count),
    live,
  }
  return VideoMetadata.parse({
    id: info.id,
    title: (info.title?.trim() || info.id).slice(0, longestTitle),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    availableHeights: [...new Set(pictures.map(({ height }) => Math.trunc(height ?? 0)))]
      .filter((height) => height > 0)
      .sort((a, b) => b - a),
    availableQualities: qualities.filter(
      (quality) => quality === 'best' || pictures.some((format) => nominalQuality(format) === quality),
    ),
  })
}

const liveStates: Readonly<Record<string, VideoMetadata['live']>> = {
  is_live: 'live',
  is_upcoming: 'upcoming',
  was_live: 'was-live',
  post_live: 'processing',
}

/** The quality a picture goes by: letterboxed and upright ones count by the frame they fit into. */
function nominalQuality({ height = 0, width = 0 }: RawFormat): Quality | undefined {
  const short = width > 0 ? Math.min(height, width) : height
  const long = Math.max(height, width)
  const steps = qualities.flatMap((quality) => (quality === 'best' ? [] : [quality])).reverse()
  const fits = steps.find((quality) => {
    const lines = Number.parseInt(quality, 10)
    return short <= lines * 1.05 && long <= (lines * 16 * 1.05) / 9
  })
  const smallest = Number.parseInt(steps[0] ?? '0', 10)
  return short < smallest * 0.7 ? undefined : fits
}
