import { readdir, readlink } from 'node:fs/promises'
import { sep } from 'node:path'
import type { FailureCode } from '#contract/failures.ts'
import type { EndReason } from '../ending.ts'

const briefMs = 1000
/** Nobody goes on with what was fetched, or the site is not to be asked for more of it. */
const urgent: ReadonlySet<unknown> = new Set<EndReason | FailureCode>([
  'cancelled',
  'dropped',
  'rate-limited',
])

/** How long a run that is ended for this reason may take: yt-dlp would finish all fragments it has begun. */
export const graceAfter = (reason: unknown, longestMs: number): number =>
  urgent.has(reason) ? Math.min(briefMs, longestMs) : longestMs

/** SIGINT lets yt-dlp take its ffmpeg along; SIGTERM would leave it running. */
export async function terminateGroup(pid: number, exited: Promise<unknown>, graceMs: number): Promise<void> {
  signalGroup(pid, 'SIGINT')
  let timer: NodeJS.Timeout | undefined
  const grace = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, graceMs)
  })
  await Promise.race([exited, grace])
  clearTimeout(timer)
  killGroup(pid)
  await exited
}

/** Ends whatever is left of the group, its leader gone or not. */
export function killGroup(pid: number): void {
  signalGroup(pid, 'SIGKILL')
}

function signalGroup(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-pid, signal)
  } catch {
    // There is no such group any more.
  }
}

/**
 * Ends programs that a killed downloader left at work in a directory: they would write to the same partial file.
 * Known by their working directory, which Linux tells; elsewhere they end at their next line, their pipe being gone.
 */
export async function killStrays(directory: string): Promise<number> {
  const pids = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name)).map(Number)
  const strays: number[] = []
  for (const pid of pids) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '')
    if (pid !== process.pid && (cwd === directory || cwd.startsWith(directory + sep))) strays.push(pid)
  }
  for (const pid of strays) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It ended by itself.
    }
  }
  return strays.length
}
