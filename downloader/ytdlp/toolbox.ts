import { randomBytes } from 'node:crypto'
import type { RunOptions } from './arguments.ts'

/** What every run of yt-dlp has in common; all of it is the operator's. */
export type Toolbox = {
  readonly ytDlp: string
  readonly ffmpeg: string
  readonly ffprobe: string
  readonly node: string
  readonly environment: Readonly<Record<string, string>>
  readonly cacheDirectory: string
  readonly rateLimit: string | undefined
  readonly cookiesFile: string | undefined
  readonly proxy: string | undefined
  /** Asked instead of SponsorBlock itself. */
  readonly sponsorBlockApi: string | undefined
}

export const createNonce = (): string => `@${randomBytes(12).toString('hex')}@`

/** How long a run may take to end by itself once it is told to. */
export const graceMs = 10_000

/** The options of one run with these tools. */
export function runOptions(
  toolbox: Toolbox,
  run: Pick<RunOptions, 'nonce' | 'url' | 'directory' | 'cookiesFile'>,
): RunOptions {
  return {
    ...run,
    cacheDirectory: toolbox.cacheDirectory,
    nodePath: toolbox.node,
    ffmpegPath: toolbox.ffmpeg,
    rateLimit: toolbox.rateLimit,
    proxy: toolbox.proxy,
  }
}
