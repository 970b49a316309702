import type { Job } from '#contract/downloader-link.ts'
import type { FailureCode } from '#contract/failures.ts'
import { editionOf } from '#contract/form.ts'
import type { Warning } from '#contract/selection.ts'
import { askableThumbnail, makeArtwork } from './artwork.ts'
import type { Placement } from './outbox.ts'
import type { Placer } from './placement.ts'
import { reasonIn } from './ytdlp/download.ts'
import type { Fetched } from './ytdlp/download.ts'
import { fingerprint } from './ytdlp/ffprobe.ts'
import { proveFetched } from './ytdlp/proven.ts'
import type { Target } from './ytdlp/target.ts'
import type { Toolbox } from './ytdlp/toolbox.ts'

export type Finish = {
  readonly job: Job
  readonly target: Target
  readonly fetched: Fetched
  readonly toolbox: Toolbox
  readonly allowedHosts: readonly string[]
  readonly placer: Placer
  readonly directory: string
  readonly signal: AbortSignal
}

/** Proves what was fetched and puts it into the library; or says why it is not what was asked for. */
export async function finish(options: Finish): Promise<Placement | FailureCode> {
  const { job, target, fetched, toolbox, placer, directory, signal } = options
  const { media, metadata } = fetched
  const proven = await proveFetched({ job, target }, fetched, toolbox)
  if (!proven) return reasonIn(fetched.run, 'invalid-result')
  const [{ bytes, sha256 }, artwork] = await Promise.all([
    fingerprint(media),
    pictureOf(options, proven.facts.durationSeconds),
  ])
  const { selection } = proven
  return placer.place(
    {
      jobId: job.jobId,
      videoId: job.videoId,
      site: target.youtube ? 'youtube' : target.host,
      channel: metadata.channel ?? target.host,
      edition: editionOf(job.extras),
      metadata,
      media,
      artwork,
      sidecars: proven.sidecars,
      scratch: directory,
      facts: { bytes, sha256, ...proven.facts },
      selection: { ...selection, taken: { ...selection.taken, bytes } },
      warnings: [...proven.warnings, ...(artwork || !job.extras.thumbnail ? [] : [noThumbnail])],
    },
    signal,
  )
}

const noThumbnail: Warning = {
  code: 'thumbnail-missing',
  detail: 'The site has no picture that could be fetched, and none could be taken from the film.',
}

async function pictureOf(
  { job, target, fetched, toolbox, allowedHosts, directory, signal }: Finish,
  durationSeconds: number | undefined,
): Promise<string | undefined> {
  if (!job.extras.thumbnail) return undefined
  const { thumbnail } = fetched.metadata
  return makeArtwork({
    ffmpeg: toolbox.ffmpeg,
    environment: toolbox.environment,
    directory,
    signal,
    // Behind a proxy only yt-dlp knows the way out, and the home address is not to be seen.
    thumbnail: toolbox.proxy ? undefined : askableThumbnail(thumbnail, target.url, allowedHosts),
    media: fetched.media,
    durationSeconds,
  })
}
