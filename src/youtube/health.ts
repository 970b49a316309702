import type { HealthCause, HealthStatus } from '#contract/health.ts'

import type { ConnectedDownloader } from './ports.ts'

export type YoutubeHealth = {
  readonly status: HealthStatus
  readonly cause?: HealthCause
  readonly ytDlpAvailable: boolean
}

const blocking: ReadonlySet<string> = new Set([
  'ytdlp-missing',
  'ytdlp-outdated',
  'ffmpeg-missing',
  'library-not-writable',
])

export const canWork = (troubles: readonly string[]): boolean =>
  !troubles.some((trouble) => blocking.has(trouble))

/** What keeps all of these from some site, and will not pass in seconds. */
function refusal(able: readonly ConnectedDownloader[]): HealthCause | undefined {
  const [first = [], ...others] = able.map(({ sites }) =>
    sites.flatMap(({ site, reason, waitMs }) =>
      reason === 'pace' || waitMs === 0 ? [] : [{ site, reason }],
    ),
  )
  return first.find(({ site }) => others.every((rests) => rests.some((rest) => rest.site === site)))?.reason
}

/** Healthy: every downloader can work. Degraded: some can, a site refuses all of them, or none is there and the queue waits. */
export function youtubeHealth(downloaders: readonly ConnectedDownloader[]): YoutubeHealth {
  if (downloaders.length === 0) return { status: 'degraded', cause: 'none-connected', ytDlpAvailable: false }
  const able = downloaders.filter(({ troubles }) => canWork(troubles))
  const ytDlpAvailable = downloaders.some(({ troubles }) => !troubles.includes('ytdlp-missing'))
  const trouble = downloaders.flatMap(({ troubles }) => troubles)[0]
  const cause = trouble ?? refusal(able)
  const status = cause === undefined ? 'healthy' : able.length === 0 ? 'unhealthy' : 'degraded'
  return { status, ytDlpAvailable, ...(cause !== undefined && { cause }) }
}
