import type { Download, VideoMetadata } from '#contract/downloads.ts'
import { formOf, isSameForm } from '#contract/form.ts'
import { resolveOptions, type DownloadOptions, type DownloadRequest } from '#contract/options.ts'
import { isProblem, Problem } from '#contract/problem.ts'

import type { Asked } from '../http/cached-response.ts'
import type { Allowances } from './allowances.ts'
import type { Validation } from './asking-schema.ts'
import type { InLibrary } from './in-library.ts'
import type { Metadata } from './metadata.ts'
import type { YoutubeDependencies } from './ports.ts'
import { predictSelection } from './predict.ts'
import { refusalOf, type Refusal } from './refusal.ts'
import { parsePlaylistUrl, parseVideoUrl, shortVideo, type PlaylistAddress, type Video } from './video-url.ts'

type Dependencies = Pick<YoutubeDependencies, 'store' | 'allowedHosts' | 'now'> & {
  readonly metadata: Metadata
  readonly allowances: Allowances
  readonly inLibrary: InLibrary
}

type Verdict = Pick<Validation, 'canDownload'> & Refusal

/** What would become of a request, without making it. */
export function createValidating(dependencies: Dependencies) {
  const { store, allowedHosts, now, metadata, allowances, inLibrary } = dependencies

  const allowed: Verdict = { canDownload: true }
  const refused = (problem: Problem): Verdict => ({ canDownload: false, ...refusalOf(problem, now()) })

  /** What passes is waited for, once it is asked for: no reason not to. */
  const inSpiteOf = (passing: Problem, allowance: Verdict): Verdict => {
    const { problem: _problem, ...told } = refusalOf(passing, now())
    return allowance.canDownload ? { ...allowance, ...told } : allowance
  }

  const withinAllowance = (userId: string): Promise<Verdict> =>
    allowances.require(userId, () => undefined).then(() => allowed, verdictOf)

  const verdictOf = (error: unknown): Verdict => {
    if (error instanceof Problem) return refused(error)
    throw error
  }

  /** The description, or why there is none. Without a downloader nothing can be told. */
  const describe = async (asked: Asked, video: Video): Promise<VideoMetadata | Problem> => {
    try {
      return await metadata.describe(asked, video)
    } catch (error) {
      if (isProblem(error, 'video-unavailable')) return error
      throw error
    }
  }

  const ofVideo = async (asked: Asked, video: Video, options: DownloadOptions): Promise<Validation> => {
    const { userId, role } = asked.caller
    const [described, active, placed, allowance] = await Promise.all([
      describe(asked, video),
      store.activeOf(userId, [video.id]).then((found) => found.get(video.id)),
      inLibrary.of(userId, [video.id]),
      withinAllowance(userId),
    ])
    const isThere = placed.some((download) => isSameForm(download, options))
    const duplicate = active === undefined ? {} : { duplicate: { downloadId: active } }
    // Who shares a file has it once, as their own.
    const files = new Map(placed.toReversed().map((download) => [keyOf(download), download]))
    const shown = [...files.values()].flatMap(({ id, userId: owner, plex, quality, format, extras }) => {
      const mine = role === 'admin' || owner === userId ? { downloadId: id } : {}
      return plex ? [{ ...mine, ...plex, options: { quality, format, extras } }] : []
    })
    const verdict = (): Verdict => {
      if (active !== undefined)
        return refused(new Problem('duplicate-download', { members: { downloadId: active } }))
      if (isThere) return allowed
      if (!(described instanceof Problem)) return allowance
      return described.members['retryable'] === true ? inSpiteOf(described, allowance) : refused(described)
    }
    return {
      ...(described instanceof Problem ? { kind: 'video' } : told(described, options)),
      ...duplicate,
      ...(shown.length > 0 && { inLibrary: shown }),
      options,
      ...verdict(),
    }
  }

  const ofPlaylist = async (
    asked: Asked,
    address: PlaylistAddress,
    options: DownloadOptions,
  ): Promise<Validation> => {
    const [outline, allowance] = await Promise.all([
      metadata.outline(asked, address).catch(asUnavailable),
      withinAllowance(asked.caller.userId),
    ])
    if (outline instanceof Problem)
      return { kind: 'playlist', playlist: { id: address.id }, options, ...refused(outline) }
    const { title, totalVideos } = outline
    const playlist = { id: address.id, ...(title && { title }), ...(totalVideos && { totalVideos }) }
    return { kind: 'playlist', playlist, options, ...allowance }
  }

  return {
    async validate(asked: Asked, { url, ...wishes }: DownloadRequest): Promise<Validation> {
      const options = resolveOptions(wishes)
      const video = parseVideoUrl(url, allowedHosts)
      // Elsewhere the address of a playlist looks like any other.
      const playlist = parsePlaylistUrl(url, [])
      if (video) {
        const validation = await ofVideo(asked, await shortVideo(video), options)
        return { ...validation, ...(playlist && { playlist: { id: playlist.id } }) }
      }
      if (!playlist) throw new Problem('unsupported-url')
      return ofPlaylist(asked, playlist, options)
    },
  }
}

const keyOf = (download: Download) => `${download.plex?.ratingKey ?? ''} ${formOf(download)}`

function told(described: VideoMetadata, options: DownloadOptions) {
  const { id, title, channel, durationSeconds, thumbnail, live, startsAt, availability } = described
  const selection = predictSelection(options, described)
  const bytes = selection?.taken?.bytes
  return {
    kind: live === 'live' || live === 'upcoming' ? live : ('video' as const),
    video: { id, title, channel, durationSeconds, thumbnail, live, startsAt, availability },
    ...(selection && { selection }),
    ...(bytes !== undefined && { estimatedBytes: bytes }),
  }
}

function asUnavailable(error: unknown): Problem<'video-unavailable'> {
  if (isProblem(error, 'video-unavailable')) return error
  throw error
}
