import type { Trouble } from '../versions.ts'
import type { Log } from '../log.ts'
import type { UpdateOutcome } from './update.ts'

export type ScheduleOptions = {
  readonly check: () => Promise<UpdateOutcome>
  /** The site of the canary wants to be left alone. */
  readonly isSiteAtRest: () => boolean
  readonly troubles: () => readonly Trouble[]
  readonly onUpdated: () => void
  /** When it was last looked, over restarts. */
  readonly lastCheck: () => Promise<number | undefined>
  readonly remember: () => Promise<void>
  readonly now: () => number
  readonly random: () => number
  readonly log: Log
}

const hourMs = 60 * 60_000
const lookIntervalMs = 5 * 60_000
const aged: ReadonlySet<Trouble> = new Set([
  'ytdlp-missing',
  'ytdlp-outdated',
  'ytdlp-old',
  'formats-missing',
])

/**
 * When to look next: once a day, at another hour for each installation so that they do not come all at once;
 * six times as often while the program in use is known to be too old.
 */
export function dueAt(
  lastCheck: number | undefined,
  startedAt: number,
  troubles: readonly Trouble[],
  lot: number,
): number {
  const isAged = troubles.some((trouble) => aged.has(trouble))
  if (lastCheck === undefined) return startedAt + (isAged ? 0 : lot * hourMs)
  return lastCheck + (isAged ? (4 + lot) * hourMs : (22 + 4 * lot) * hourMs)
}

/** Looks for a newer yt-dlp now and then, for as long as the process lives. */
export function scheduleUpdates(options: ScheduleOptions): () => void {
  const { check, isSiteAtRest, troubles, onUpdated, lastCheck, remember, now, random, log } = options
  const startedAt = now()
  let lot = random()
  let checking = false
  const lookIfDue = async (): Promise<void> => {
    if (checking) return
    checking = true
    try {
      if (now() < dueAt(await lastCheck(), startedAt, troubles(), lot) || isSiteAtRest()) return
      await remember()
      lot = random()
      const outcome = await check()
      logOutcome(log, outcome)
      if (outcome.kind === 'updated') onUpdated()
    } finally {
      checking = false
    }
  }
  const start = (): void =>
    void lookIfDue().catch((error: unknown) => log.error('looking for a newer yt-dlp failed', { error }))
  start()
  const timer = setInterval(start, lookIntervalMs)
  return () => clearInterval(timer)
}

export function logOutcome(log: Log, outcome: UpdateOutcome): void {
  const { kind, ...details } = outcome
  const write = kind === 'rolled-back' || kind === 'nothing-to-restore' ? log.warn : log.info
  write('yt-dlp update', { outcome: kind, ...details })
}
