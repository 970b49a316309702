import type { DownloadStatus } from '#contract/downloads.ts'
import { qualities } from '#contract/options.ts'

import type { StatisticsRows } from './history-ports.ts'

const dayMs = 24 * 3_600_000

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10)

/** The last days in UTC, today among them, oldest first. */
export function lastDays(days: number, now: number): string[] {
  return Array.from({ length: days }, (_, index) => dayOf(now - (days - 1 - index) * dayMs))
}

/** What is told of downloads, from what the database has summed up. Days and states without any are zeros. */
export function shapeStatistics(rows: StatisticsRows, days: readonly string[]) {
  const { completed, failed, ...others } = countsOf(rows)
  const ended = completed + failed
  return {
    total: sum(rows.statuses, ({ count }) => count),
    byStatus: { ...others, completed, failed },
    bytes: sum(rows.statuses, ({ bytes }) => bytes),
    libraryBytes: sum(rows.statuses, ({ libraryBytes }) => libraryBytes),
    ...(ended > 0 && { successRate: completed / ended }),
    ...(rows.medianSeconds !== undefined && { medianSeconds: rows.medianSeconds }),
    byQuality: rows.qualities.toSorted((a, b) => qualities.indexOf(a.quality) - qualities.indexOf(b.quality)),
    byDay: byDay(rows, days),
    failures: rows.failures.toSorted((a, b) => b.count - a.count || a.code.localeCompare(b.code)),
  }
}

function countsOf({ statuses }: StatisticsRows): Record<DownloadStatus, number> {
  const counts = { queued: 0, running: 0, retrying: 0, scanning: 0, completed: 0, failed: 0, cancelled: 0 }
  for (const { status, count } of statuses) counts[status] += count
  return counts
}

function byDay({ accepted, ended }: StatisticsRows, days: readonly string[]) {
  const acceptedOn = new Map(accepted.map(({ day, count }) => [day, count]))
  const endedOn = Map.groupBy(ended, ({ day }) => day)
  return days.map((day) => {
    const rows = endedOn.get(day) ?? []
    const completed = rows.find(({ status }) => status === 'completed')
    const failed = rows.find(({ status }) => status === 'failed')
    return {
      day,
      accepted: acceptedOn.get(day) ?? 0,
      completed: completed?.count ?? 0,
      failed: failed?.count ?? 0,
      bytes: completed?.bytes ?? 0,
    }
  })
}

const sum = <T>(rows: readonly T[], of: (row: T) => number): number =>
  rows.reduce((total, row) => total + of(row), 0)
