import type { HealthStatus } from '#contract/health.ts'

const downAfter = 3
const upAfter = 2

const levels = ['healthy', 'degraded', 'unhealthy'] as const

/**
 * The state that a run of samples, oldest first, has confirmed: worse after three that are all worse, better after
 * two that are all better. A sample that knows nothing neither confirms nor interrupts.
 */
export function confirmed(statuses: readonly HealthStatus[]): HealthStatus {
  const known = statuses.flatMap((status) => (status === 'unknown' ? [] : [levels.indexOf(status)]))
  let level: number | undefined
  for (const index of known.keys()) level = next(level, known.slice(0, index + 1))
  return (level !== undefined && levels[level]) || 'unknown'
}

/** Who knows nothing yet believes the best only of the best, and the worst like everybody. */
function next(level: number | undefined, known: readonly number[]): number | undefined {
  const better = Math.max(...known.slice(-upAfter))
  if (known.length >= upAfter && better < (level ?? 1)) return better
  const worse = Math.min(...known.slice(-downAfter))
  if (known.length >= downAfter && worse > (level ?? 0)) return worse
  return level
}
