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

/** Healthy: every downloader can work. Degraded: some can, or none is there and the queue waits. */
export function youtubeHealth(downloaders: readonly ConnectedDownloader[]): YoutubeHealth {
  if (downloaders.length === 0) return { status: 'degraded', cause: 'none-connected', ytDlpAvailable: false }
  const able = downloaders.filter(({ troubles }) => canWork(troubles))
  const ytDlpAvailable = downloaders.some(({ troubles }) => !troubles.includes('ytdlp-missing'))
  const trouble = downloaders.flatMap(({ troubles }) => troubles)[0]
  const cause = trouble === undefined ? {} : { cause: trouble }
  if (able.length === 0) return { status: 'unhealthy', ytDlpAvailable, ...cause }
  return { status: trouble === undefined ? 'healthy' : 'degraded', ytDlpAvailable, ...cause }
}
