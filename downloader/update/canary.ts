import { randomUUID } from 'node:crypto'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Job } from '#contract/downloader-link.ts'
import type { FailureCode } from '#contract/failures.ts'
import { createSpaceLedger } from '../disk.ts'
import { download } from '../ytdlp/download.ts'
import type { DownloadLimits } from '../ytdlp/download.ts'
import { classifyError } from '../ytdlp/failure.ts'
import { inspect, prove } from '../ytdlp/ffprobe.ts'
import { createProgressMeter } from '../ytdlp/progress.ts'
import { checkTarget } from '../ytdlp/target.ts'
import type { Toolbox } from '../ytdlp/toolbox.ts'

export type CanaryOptions = {
  readonly url: string
  readonly allowedHosts: readonly string[]
  readonly limits: DownloadLimits
  readonly scratchDirectory: string
  readonly signal: AbortSignal
}

const timeoutMs = 5 * 60_000

/** Downloads one short video just as a job would, and holds the file against what a job holds it against. */
export async function flyCanary(toolbox: Toolbox, options: CanaryOptions): Promise<FailureCode | undefined> {
  const { url, allowedHosts, limits, scratchDirectory, signal } = options
  const check = checkTarget(url, allowedHosts)
  if (!check.ok) return check.code
  const job = Job.parse({
    jobId: randomUUID(),
    lease: 1,
    url,
    videoId: 'canary',
    quality: '360p',
    format: 'mp4',
    attempt: 1,
  })
  await mkdir(scratchDirectory, { recursive: true })
  const directory = await mkdtemp(join(scratchDirectory, 'canary-'))
  try {
    const result = await download({
      job,
      target: check.target,
      directory,
      // What it may leave behind goes with the folder.
      toolbox: { ...toolbox, environment: { ...toolbox.environment, TMPDIR: directory } },
      limits,
      ledger: createSpaceLedger(limits.reserveBytes, limits.maxBytes),
      meter: createProgressMeter(),
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      onMetadata: () => undefined,
      onProgress: () => undefined,
    })
    if (result.kind === 'failed') return result.code
    const findings = await inspect(result.media, toolbox.ffprobe, toolbox.environment)
    const { durationSeconds } = result.metadata
    const proof = prove(findings, { format: job.format, durationSeconds, sound: result.sound })
    return proof.ok ? undefined : 'invalid-result'
  } catch (error) {
    return classifyError(error)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
