import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runYtDlp } from '../../../downloader/ytdlp/run.ts'
import { eventually, processesIn } from '../support/launch.ts'
import type { Test } from '../support/setting.ts'

const hourMs = 3_600_000
const nonce = '@nonce@'
const script = `#!/bin/sh
say() { echo '${nonce}{"kind":"step","step":{}}'; }
trap say INT
say
while [ -f "$0" ]; do sleep 0.02; done
`

/** Runs a program that answers when it is asked to end, and goes on, though it has an hour to end by itself. */
async function runStubborn({ onTestFinished }: Test, ...signals: readonly AbortSignal[]) {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-run-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const file = join(folder, 'yt-dlp')
  const directory = join(folder, 'job')
  await mkdir(directory)
  await writeFile(file, script, { mode: 0o755 })
  let words = 0
  const ended = runYtDlp({
    file,
    arguments: [],
    directory,
    environment: { PATH: process.env['PATH'] ?? '' },
    nonce,
    signals,
    graceMs: hourMs,
    onRecord: () => (words += 1),
  })
  const hasSaid = (count: number) => eventually(() => words === count)
  await hasSaid(1)
  return { ended, hasSaid, running: async () => (await processesIn(folder)).length > 0 }
}

test.concurrent('a run that is cancelled is not waited for', async (test) => {
  const controller = new AbortController()
  const { ended, running } = await runStubborn(test, controller.signal)
  controller.abort('cancelled')
  expect(await ended).toMatchObject({ exitCode: undefined, signal: undefined })
  await eventually(async () => !(await running()))
})

test.concurrent('a run that is ending already is not waited for once its job is cancelled', async (test) => {
  const [job, own] = [new AbortController(), new AbortController()]
  const { ended, hasSaid, running } = await runStubborn(test, job.signal, own.signal)
  own.abort('stalled')
  await hasSaid(2)
  expect(await running()).toBe(true)
  job.abort('cancelled')
  await ended
  await eventually(async () => !(await running()))
})
