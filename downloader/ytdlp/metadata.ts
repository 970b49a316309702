import * as z from 'zod'
import { VideoMetadata } from '#contract/downloads.ts'
import { qualities } from '#contract/options.ts'
import { linesOf, nominalQuality } from './frame.ts'
import { toOffers } from './offers.ts'
import type { RawChapter, RawFormat, RawMetadata, YtDlpRecordOf } from './records.ts'

const longestDescription = 5000
const longestTitle = 500
const mostListed = 300

type Lists = Pick<YtDlpRecordOf<'metadata'>, 'chapters' | 'written' | 'automatic'>

/** yt-dlp's account of a video in our words; what is missing or malformed is left out. */
export function toVideoMetadata(
  info: RawMetadata,
  formats: readonly RawFormat[],
  lists: Lists = {},
): VideoMetadata {
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
    startsAt: live === 'upcoming' ? instantOf(info.release_timestamp) : undefined,
    availability: availabilities[info.availability ?? ''],
    offers: listed(toOffers(formats, info.duration)),
    subtitles: listed([...tracksIn(lists.written, false), ...tracksIn(lists.automatic, true)]),
    chapters: listed((lists.chapters ?? []).flatMap(toChapter)),
  }
  return VideoMetadata.parse({
    id: info.id,
    title: (info.title?.trim() || info.id).slice(0, longestTitle),
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    availableHeights: [...new Set(pictures.map((format) => linesOf(format) ?? 0))]
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

const availabilities: Readonly<Record<string, VideoMetadata['availability']>> = {
  public: 'public',
  unlisted: 'unlisted',
  private: 'private',
  premium_only: 'premium-only',
  subscriber_only: 'members-only',
  needs_auth: 'login-required',
}

function listed<T>(items: readonly T[]): readonly T[] | undefined {
  return items.length === 0 ? undefined : items.slice(0, mostListed)
}

function instantOf(seconds: number | undefined): string | undefined {
  const instant = new Date((seconds ?? Number.NaN) * 1000)
  return Number.isNaN(instant.getTime()) ? undefined : z.iso.datetime().safeParse(instant.toISOString()).data
}

function toChapter({ title, start_time, end_time }: RawChapter, index: number) {
  if (start_time === undefined || end_time === undefined || !(end_time > start_time)) return []
  const name = title?.trim().slice(0, 200) || `Chapter ${index + 1}`
  return [{ title: name, startSeconds: start_time, endSeconds: end_time }]
}

/** Reads the table that yt-dlp prints of subtitles: a line each, the columns where their headings are. */
function tracksIn(table: string | null | undefined, automatic: boolean) {
  const [heading = '', ...rows] = table?.split('\n') ?? []
  const nameAt = heading.indexOf('Name')
  const formatsAt = heading.indexOf('Formats')
  return rows.flatMap((row) => {
    // Columns are counted in code points.
    const characters = Array.from(row)
    const language = /^\S+/.exec(row)?.[0]
    if (language === undefined || language === 'live_chat') return []
    const name = nameAt < 0 ? '' : characters.slice(nameAt, formatsAt).join('').trim().slice(0, 100)
    return [{ language: language.slice(0, 50), automatic, ...(name !== '' && { name }) }]
  })
}
