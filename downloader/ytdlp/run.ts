import { execa } from 'execa'
import { parseRecords } from './records.ts'
import type { YtDlpRecord } from './records.ts'
import { graceAfter, killGroup, terminateGroup } from './terminate.ts'
import { createTraffic } from './traffic.ts'

export type YtDlpRun = {
  readonly file: string
  readonly arguments: readonly string[]
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
  readonly nonce: string
  readonly onRecord: (record: YtDlpRecord) => void
  /** Told each time the site answers that it is asked too often. */
  readonly onRefused?: () => void
  /** Each ends the run, politely at first, then not; one that is in more of a hurry may follow another. */
  readonly signals: readonly AbortSignal[]
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
  /** Why it has passed over what it was to fetch, which it thinks no error. */
  readonly skipped?: string | undefined
  /** How long the site wants to be left alone, when it has refused and said so. */
  readonly retryAfterMs?: number | undefined
}

const keptErrors = 5
/** More, as those that come first tell what the site keeps back, and are no concern of later steps. */
const keptWarnings = 20
const longestLine = 4000
/** The user is us, and who reads of it would look for another. */
const interrupted = /^ERROR: Interrupted by user/
const skips = /^\r?\[download\] .*(?:skipping|archive|aborting|not in range|did not match|reject pattern)/i

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
  const traffic = createTraffic(Date.now, run.onRefused)
  const read = async (from: 'stdout' | 'stderr'): Promise<void> => {
    const note = evidence.listen()
    for await (const line of subprocess.iterable({ from })) {
      const records = parseRecords(line, run.nonce)
      traffic.hear(line)
      if (records === undefined) note(line)
      else records.forEach(run.onRecord)
    }
  }
  const ending = new AbortController()
  const end = (reason: unknown): void => {
    if (pid !== undefined) void terminateGroup(pid, exited, graceAfter(reason, run.graceMs))
  }
  for (const signal of run.signals) {
    if (signal.aborted) end(signal.reason)
    signal.addEventListener('abort', () => end(signal.reason), { once: true, signal: ending.signal })
  }
  try {
    const [result] = await Promise.all([subprocess, read('stdout'), read('stderr')])
    return {
      exitCode: result.exitCode,
      signal: run.signals.some(({ aborted }) => aborted) ? undefined : result.signal,
      missing: result.code === 'ENOENT' || result.code === 'EACCES',
      ...evidence.collected(),
      retryAfterMs: traffic.retryAfterMs(),
    }
  } finally {
    ending.abort()
  }
}

/** Keeps the last few distinct errors and warnings; the reason of a failure is often in a warning. */
function createEvidence() {
  const errors: string[] = []
  const warnings: string[] = []
  let skipped: string | undefined
  const keep = (list: string[], line: string, most: number): void => {
    const text = line.slice(0, longestLine)
    if (list.includes(text)) return
    list.push(text)
    if (list.length > most) list.shift()
  }
  return {
    /** For one stream: the traffic, cookies and all, comes on another than a traceback. */
    listen: () => {
      let inTraceback = false
      return (line: string): void => {
        if (line.startsWith('Traceback ')) inTraceback = true
        else if (inTraceback && /^\S/.test(line)) {
          inTraceback = false
          keep(errors, line, keptErrors)
        } else if (interrupted.test(line)) return
        else if (/^(?:[\w./-]*: )?error: /i.test(line)) keep(errors, line, keptErrors)
        else if (line.startsWith('WARNING: ')) keep(warnings, line, keptWarnings)
        else if (skips.test(line)) skipped = line.slice(0, longestLine)
      }
    },
    collected: () => ({ errors, warnings, skipped }),
  }
}
