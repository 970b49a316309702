import type { Job } from '#contract/downloader-link.ts'
import type { FailureCode } from '#contract/failures.ts'
import { editionOf } from '#contract/form.ts'
import type { Warning } from '#contract/selection.ts'
import { askableThumbnail, makeArtwork } from './artwork.ts'
import type { Placement } from './outbox.ts'
import type { Placer } from './placement.ts'
import { reasonIn } from './ytdlp/download.ts'
import type { DownloadLimits, Fetched } from './ytdlp/download.ts'
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
  readonly limits: DownloadLimits
  readonly directory: string
  readonly signal: AbortSignal
}

type Finished =
  | { readonly ok: true; readonly placement: Placement }
  | { readonly ok: false; readonly code: FailureCode; readonly why: string }

/** Proves what was fetched and puts it into the library; or says why it is not what was asked for. */
export async function finish(options: Finish): Promise<Finished> {
  const { job, target, fetched, toolbox, placer, directory, signal } = options
  const { media, metadata } = fetched
  const proven = await proveFetched(options, fetched, toolbox)
  if (!proven.ok) return { ...proven, code: await reasonIn(fetched.run, 'invalid-result', options) }
  const looks = [fingerprint(media, signal), pictureOf(options, proven.facts.durationSeconds)] as const
  // Both are over before the directory may be removed.
  await Promise.allSettled(looks)
  const [{ bytes, sha256 }, artwork] = await Promise.all(looks)
  const { selection } = proven
  const placement = await placer.place(
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
  return { ok: true, placement }
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
