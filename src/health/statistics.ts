import type { HealthStatus } from '#contract/health.ts'

import type { Sample } from './ports.ts'

const severities: Readonly<Record<HealthStatus, number>> = {
  unknown: -1,
  healthy: 0,
  degraded: 1,
  unhealthy: 2,
}

/** The most severe of them; `unknown` only when there is nothing else. */
export function worst<S extends { readonly status: HealthStatus }>(samples: readonly S[]): S | undefined {
  return samples.toSorted((a, b) => severities[b.status] - severities[a.status])[0]
}

/** How much of the known time a service was of use, in per cent; `undefined` when nothing is known. */
export function uptimePercent(statuses: readonly HealthStatus[]): number | undefined {
  const known = statuses.filter((status) => status !== 'unknown')
  if (known.length === 0) return undefined
  const up = known.filter((status) => status !== 'unhealthy')
  // Rounded down: what was away for a moment is never shown as a round hundred.
  return Math.floor((up.length / known.length) * 100_000) / 1_000
}

/** Nearest rank: the smallest value that at least `percent` of all values do not exceed. */
export function percentile(values: readonly number[], percent: number): number | undefined {
  const rank = Math.max(1, Math.ceil((percent / 100) * values.length))
  return values.toSorted((a, b) => a - b)[rank - 1]
}

export type Point = Omit<Sample, 'service'>

/** One point for each interval that has samples: its worst moment and its typical latency. */
export function summarise(samples: readonly Point[], intervalMs: number): readonly Point[] {
  const startOf = ({ at }: Point) => Math.floor(at / intervalMs) * intervalMs
  const groups = [...Map.groupBy(samples, startOf)].toSorted(([a], [b]) => a - b)
  return groups.map(([at, group]) => {
    const { status = 'unknown' as const, cause } = worst(group) ?? {}
    const latencyMs = percentile(latencies(group), 50)
    return { at, status, ...(cause && { cause }), ...(latencyMs !== undefined && { latencyMs }) }
  })
}

export function latencies(samples: readonly { readonly latencyMs?: number }[]): readonly number[] {
  return samples.flatMap(({ latencyMs }) => (latencyMs === undefined ? [] : [latencyMs]))
}
