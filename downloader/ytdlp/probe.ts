import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { probeArguments } from './arguments.ts'
import { lendCookies } from './cookies.ts'
import { classifyRun } from './failure.ts'
import { toVideoMetadata } from './metadata.ts'
import type { RawFormat, YtDlpRecordOf } from './records.ts'
import { runYtDlp } from './run.ts'
import type { RunResult } from './run.ts'
import type { Target } from './target.ts'
import { createNonce, runOptions } from './toolbox.ts'
import type { Toolbox } from './toolbox.ts'

export type ProbeResult =
  | {
      readonly kind: 'metadata'
      readonly metadata: VideoMetadata
      readonly startsAt: Date | undefined
    }
  | { readonly kind: 'failed'; readonly code: FailureCode; readonly run?: RunResult }

const probeTimeoutMs = 30_000
const graceMs = 1000

/** Asks a site about a video and fetches none of it. */
export async function probe(
  target: Target,
  toolbox: Toolbox,
  scratch: string,
  signal: AbortSignal,
): Promise<ProbeResult> {
  await mkdir(scratch, { recursive: true })
  const directory = await mkdtemp(join(scratch, 'probe-'))
  const cookies = await lendCookies(toolbox.cookiesFile, directory)
  const timeout = AbortSignal.timeout(probeTimeoutMs)
  const nonce = createNonce()
  let found: YtDlpRecordOf<'metadata'> | undefined
  try {
    const result = await runYtDlp({
      file: toolbox.ytDlp,
      arguments: probeArguments(
        runOptions(toolbox, { nonce, url: target.url, directory, cookiesFile: cookies.file }),
      ),
      directory,
      environment: toolbox.environment,
      nonce,
      signals: [signal, timeout],
      graceMs,
      onRecord: (record) => {
        if (record.kind === 'metadata') found ??= record
      },
    })
    await cookies.giveBack(found !== undefined)
    if (result.missing) return { kind: 'failed', code: 'ytdlp-missing' }
    if (timeout.aborted && !found) return { kind: 'failed', code: 'network', run: result }
    return judge(found, result)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Picture or sound: what else is listed are pictures of the film. */
const isMedia = ({ vcodec, acodec }: RawFormat): boolean => vcodec !== 'none' || acodec !== 'none'

/** Without formats there is a video only when it has yet to begin; otherwise a warning says what is the matter. */
function judge(found: YtDlpRecordOf<'metadata'> | undefined, run: RunResult): ProbeResult {
  if (!found) {
    const code = classifyRun(run)
    return { kind: 'failed', code: code === 'unknown' && run.exitCode === 0 ? 'skipped' : code, run }
  }
  const formats = found.formats ?? []
  const metadata = toVideoMetadata(found.info, formats, found)
  if (!formats.some(isMedia) && metadata.live !== 'upcoming') {
    const code = classifyRun({ errors: [...run.errors, ...run.warnings], warnings: [] })
    return { kind: 'failed', code: code === 'unknown' ? 'format-unavailable' : code, run }
  }
  const { startsAt } = metadata
  return { kind: 'metadata', metadata, startsAt: startsAt === undefined ? undefined : new Date(startsAt) }
}
