import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { descendants } from './descendants.ts'
import type { ProcessNote } from './leftovers.ts'

export type DownloaderOptions = {
  readonly root: string
  readonly env: Readonly<Record<string, string | undefined>>
  readonly onLog: (line: string) => void
  /** Told when it ended by itself. It is started again after a while. */
  readonly onEnd?: (code: number | undefined) => void
  readonly processes?: ProcessNote
  readonly graceMs?: number
}

export type DownloaderProcess = {
  readonly pid: () => number | undefined
  /** Ends it the hard or the soft way and leaves it ended. */
  readonly kill: (signal: 'SIGTERM' | 'SIGKILL') => Promise<void>
  /** Starts it when it does not run. */
  readonly start: () => void
  /** Asks it to finish; after the grace it is killed, and what it had started too. */
  readonly stop: () => Promise<void>
  /** At once, with all it had started. */
  readonly force: () => void
}

const firstPauseMs = 1_000
const longestPauseMs = 30_000
const steadyMs = 60_000

/** Runs the downloader, again and again until it is stopped. */
export function runDownloader(options: DownloaderOptions): DownloaderProcess {
  let child: ChildProcess | undefined
  let wanted = false
  let pauseMs = firstPauseMs
  let again: NodeJS.Timeout | undefined

  const start = (): void => {
    clearTimeout(again)
    wanted = true
    if (child) return
    const startedAt = Date.now()
    const started = launch(options)
    child = started
    const { pid } = started
    if (pid !== undefined) options.processes?.started(pid)
    const ended = (code: number | undefined): void => {
      if (child !== started) return
      child = undefined
      if (pid !== undefined) options.processes?.ended(pid)
      if (!wanted) return
      if (Date.now() - startedAt > steadyMs) pauseMs = firstPauseMs
      options.onEnd?.(code)
      again = setTimeout(start, pauseMs)
      pauseMs = Math.min(2 * pauseMs, longestPauseMs)
    }
    started.once('exit', (code) => ended(code ?? undefined))
    started.once('error', () => ended(undefined))
  }

  const kill = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    wanted = false
    clearTimeout(again)
    const running = child
    if (!running) return
    const gone = once(running, 'exit')
    running.kill(signal)
    await gone
  }

  const force = (): void => {
    wanted = false
    clearTimeout(again)
    if (child?.pid === undefined) return
    for (const pid of [...descendants(child.pid), child.pid]) end(pid)
  }

  const stop = async (): Promise<void> => {
    const asked = kill('SIGTERM')
    const patience = new AbortController()
    const late = sleep(options.graceMs ?? 10_000, 'late', { signal: patience.signal }).catch(() => 'done')
    if ((await Promise.race([asked, late])) === 'late') force()
    patience.abort()
    await asked
  }

  return { pid: () => child?.pid, kill, start, stop, force }
}

function launch({ root, env, onLog }: DownloaderOptions): ChildProcess {
  const preload = new URL('die-with-parent.ts', import.meta.url).href
  const child = spawn(process.execPath, ['--import', preload, join(root, 'downloader', 'main.ts')], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C in a terminal reaches the whole group: its end is ours to order.
    detached: true,
  })
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', onLog)
  }
  return child
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended meanwhile.
  }
}
