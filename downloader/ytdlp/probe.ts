import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { VideoMetadata } from '#contract/downloads.ts'
import type { FailureCode } from '#contract/failures.ts'
import { probeArguments } from './arguments.ts'
import { lendCookies } from './cookies.ts'
import { classifyRun } from './failure.ts'
import { toVideoMetadata } from './metadata.ts'
import type { YtDlpRecord } from './records.ts'
import { runYtDlp } from './run.ts'
import type { Target } from './target.ts'
import { createNonce, runOptions } from './toolbox.ts'
import type { Toolbox } from './toolbox.ts'

export type ProbeResult =
  | {
      readonly kind: 'metadata'
      readonly metadata: VideoMetadata
      readonly startsAt: Date | undefined
    }
  | { readonly kind: 'failed'; readonly code: FailureCode }

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
  let found: Extract<YtDlpRecord, { kind: 'metadata' }> | undefined
  try {
    const result = await runYtDlp({
      file: toolbox.ytDlp,
      arguments: probeArguments(
        runOptions(toolbox, { nonce, url: target.url, directory, cookiesFile: cookies.file }),
      ),
      directory,
      environment: toolbox.environment,
      nonce,
      signal: AbortSignal.any([signal, timeout]),
      graceMs,
      onRecord: (record) => {
        if (record.kind === 'metadata') found ??= record
      },
    })
    await cookies.giveBack(found !== undefined)
    if (result.missing) return { kind: 'failed', code: 'ytdlp-missing' }
    if (timeout.aborted && !found) return { kind: 'failed', code: 'network' }
    return judge(found, result)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

/** Without formats there is a video only when it has yet to begin; otherwise a warning says what is the matter. */
function judge(
  found: Extract<YtDlpRecord, { kind: 'metadata' }> | undefined,
  result: Parameters<typeof classifyRun>[0],
): ProbeResult {
  if (!found) {
    const code = classifyRun(result)
    return { kind: 'failed', code: code === 'unknown' && result.exitCode === 0 ? 'skipped' : code }
  }
  const formats = found.formats ?? []
  if (formats.length === 0 && found.info.live_status !== 'is_upcoming') {
    const code = classifyRun({ errors: [...result.errors, ...result.warnings], warnings: [] })
    return { kind: 'failed', code: code === 'unknown' ? 'format-unavailable' : code }
  }
  const { release_timestamp: releasedAt } = found.info
  return {
    kind: 'metadata',
    metadata: toVideoMetadata(found.info, formats),
    startsAt: releasedAt === undefined ? undefined : new Date(releasedAt * 1000),
  }
}
