import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, inject, test } from 'vitest'
import { lacksOf } from '../../../downloader/image/check-tools.ts'
import { checkTools, minimalEnvironment, type ToolVersions } from '../../../downloader/versions.ts'

const good: ToolVersions = {
  ytDlp: '2026.10.26',
  ytDlpAgeDays: 0,
  ffmpeg: '7.1',
  jsRuntime: 'node-24.21.0',
  challengeSolver: '0.8.0',
  troubles: [],
}

test('a yt-dlp that has come to age does not keep an image from being made', async ({ onTestFinished }) => {
  const folder = await mkdtemp(join(tmpdir(), 'medianest-tools-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const ytDlp = join(folder, 'yt-dlp')
  await writeFile(ytDlp, "#!/bin/sh\necho '[debug] yt-dlp version stable@2026.10.26' >&2\n", { mode: 0o755 })
  const tools = { ...inject('tools'), ytDlp, node: process.execPath }
  const { troubles } = await checkTools(tools, minimalEnvironment(process.env), new Date('2027-01-25'))
  expect(troubles).toEqual(['ytdlp-old'])
  expect(lacksOf({ ...good, troubles })).toEqual([])
})

test('what YouTube cannot be served without is lacking', () => {
  expect(lacksOf({ ...good, troubles: ['ytdlp-outdated'] })).toEqual(['ytdlp-outdated'])
  expect(lacksOf({ ...good, jsRuntime: undefined, challengeSolver: undefined })).toEqual([
    'js-runtime-missing',
    'challenge-solver-missing',
  ])
})
