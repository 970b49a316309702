import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createSpaceLedger } from '../../downloader/disk.ts'
import type { EndReason } from '../../downloader/ending.ts'
import { runJob } from '../../downloader/job.ts'
import { createLog } from '../../downloader/log.ts'
import { openOutbox } from '../../downloader/outbox.ts'
import { createPlacer } from '../../downloader/placement.ts'
import { createSites } from '../../downloader/sites.ts'
import { jobFor } from './support/scripted-worker.ts'

const limits = { stallMs: 30_000, reserveBytes: 0, maxBytes: 1_000_000 }

/** Runs a job that fails for want of a network after a part was fetched, and is ended as it is said to have failed. */
async function failing(reason?: EndReason) {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-job-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const ytDlp = join(folder, 'yt-dlp')
  const script = '#!/bin/sh\necho part > partial/media.mp4.part\necho "ERROR: timed out" >&2\nexit 1\n'
  await writeFile(ytDlp, script, { mode: 0o755 })
  const jobsDirectory = join(folder, 'jobs')
  await mkdir(jobsDirectory)
  const outbox = openOutbox(':memory:')
  const controller = new AbortController()
  const outcome = await runJob(
    jobFor('http://127.0.0.1:1/watch/film'),
    {
      jobsDirectory,
      scratchDirectory: folder,
      allowedHosts: ['127.0.0.1:1'],
      limits,
      toolbox: {
        ytDlp,
        ffmpeg: 'ffmpeg',
        ffprobe: 'ffprobe',
        node: process.execPath,
        environment: { PATH: process.env['PATH'] ?? '' },
        cacheDirectory: join(folder, 'cache'),
        rateLimit: undefined,
        cookiesFile: undefined,
        proxy: undefined,
        sponsorBlockApi: undefined,
      },
      troubles: () => [],
      onToolFailure: () => undefined,
      onFormats: () => undefined,
      ledger: createSpaceLedger(limits.reserveBytes, limits.maxBytes),
      placer: createPlacer({
        libraryDirectory: folder,
        plexLibraryPath: folder,
        outbox,
        heightOf: async () => undefined,
        now: () => new Date(0),
      }),
      sites: createSites({
        pace: { startsPerHour: 1000, burst: 10 },
        store: outbox,
        now: () => 0,
        random: () => 0,
        onChange: () => undefined,
      }),
      onNoSpace: async () => undefined,
      secrets: [],
      log: createLog({
        write: (line) => {
          if (reason && line.includes('job failed')) controller.abort(reason)
        },
        now: () => new Date(0),
        secrets: [],
      }),
    },
    { started: () => undefined, progress: () => undefined },
    controller.signal,
  )
  expect(outcome).toMatchObject({ kind: 'failed', failure: { code: 'network' } })
  return readdir(jobsDirectory)
}

test('of a job that fails in a way that may pass, the part is kept for the next try', async () => {
  expect(await failing()).toHaveLength(1)
  expect(await failing('returned')).toHaveLength(1)
})

test('of a job that is cancelled or dropped as it fails, nothing is kept', async () => {
  expect(await failing('cancelled')).toEqual([])
  expect(await failing('dropped')).toEqual([])
})
