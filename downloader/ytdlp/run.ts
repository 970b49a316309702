import { execa } from 'execa'
import { parseRecords } from './records.ts'
import type { YtDlpRecord } from './records.ts'
import { killGroup, terminateGroup } from './terminate.ts'
import { createTraffic } from './traffic.ts'

export type YtDlpRun = {
  readonly file: string
  readonly arguments: readonly string[]
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  readonly nonce: string
  readonly onRecord: (record: YtDlpRecord) => void
  /** Ends the run: politely at first, then not. */
  readonly signal: AbortSignal
  readonly graceMs: number
}

export type RunResult = {
  readonly exitCode: number | undefined
  /** The signal that ended it, when it was not ours. */
  readonly signal: string | undefined
  /** The program could not be started at all. */
  readonly missing: boolean
  readonly errors: readonly string[]
  readonly warnings: readonly string[]
  /** How long the site wants to be left alone, when it has refused and said so. */
  readonly retryAfterMs?: number | undefined
}

const keptLines = 5
const longestLine = 4000

/** Runs yt-dlp in a process group of its own until it and all it started are gone. */
export async function runYtDlp(run: YtDlpRun): Promise<RunResult> {
  const subprocess = execa(run.file, run.arguments, {
    cwd: run.directory,
    env: run.environment,
    extendEnv: false,
    detached: true,
    stdin: 'ignore',
    buffer: false,
    reject: false,
  })
  const { pid, nodeChildProcess } = subprocess
  const exited = new Promise<void>((resolve) => {
    nodeChildProcess.once('exit', () => {
      // What it leaves behind would hold the pipes open for ever.
      if (pid !== undefined) killGroup(pid)
      resolve()
    })
    nodeChildProcess.once('error', () => resolve())
  })
  const evidence = createEvidence()
  const traffic = createTraffic(Date.now)
  const read = async (from: 'stdout' | 'stderr'): Promise<void> => {
    const note = evidence.listen()
    for await (const line of subprocess.iterable({ from })) {
      const records = parseRecords(line, run.nonce)
      traffic.hear(line)
      if (records === undefined) note(line)
      else records.forEach(run.onRecord)
    }
  }
  const abort = (): void => {
    if (pid !== undefined) void terminateGroup(pid, exited, run.graceMs)
  }
  if (run.signal.aborted) abort()
  run.signal.addEventListener('abort', abort, { once: true })
  try {
    const [result] = await Promise.all([subprocess, read('stdout'), read('stderr')])
    return {
      exitCode: result.exitCode,
      signal: run.signal.aborted ? undefined : result.signal,
      missing: result.code === 'ENOENT' || result.code === 'EACCES',
      ...evidence.collected(),
      retryAfterMs: traffic.retryAfterMs(),
    }
  } finally {
    run.signal.removeEventListener('abort', abort)
  }
}

/** Keeps the last few distinct errors and warnings; the reason of a failure is often in a warning. */
function createEvidence() {
  const errors: string[] = []
  const warnings: string[] = []
  const keep = (list: string[], line: string): void => {
    const text = line.slice(0, longestLine)
    if (list.includes(text)) return
    list.push(text)
    if (list.length > keptLines) list.shift()
  }
  return {
    /** For one stream: the traffic, cookies and all, comes on another than a traceback. */
    listen: () => {
      let inTraceback = false
      return (line: string): void => {
        if (line.startsWith('Traceback ')) inTraceback = true
        else if (inTraceback && /^\S/.test(line)) {
          inTraceback = false
          keep(errors, line)
        } else if (/^(?:[\w./-]*: )?error: /i.test(line)) keep(errors, line)
        else if (line.startsWith('WARNING: ')) keep(warnings, line)
      }
    },
    collected: () => ({ errors, warnings }),
  }
}
